import Logs
import Testing

/// DESIGN.md section 2, "stream".
@Suite struct StreamNameTests {
  @Test(arguments: [
    // Nothing to take away.
    ("my_logs.log", "my_logs.log"), ("my_logs", "my_logs"), ("syslog", "syslog"), ("a", "a"),
    ("app.1.log", "app.1.log"), ("app.log.old", "app.log.old"), ("app.log.1a", "app.log.1a"),
    ("app-1", "app-1"), ("app_2", "app_2"), ("app1", "app1"), ("v1.2.log", "v1.2.log"),
    // .gz, once, in this spelling.
    ("my_logs.log.gz", "my_logs.log"), ("app.gz", "app"), ("app.gz.gz", "app.gz"), ("app.GZ", "app.GZ"),
    ("app.tgz", "app.tgz"), (".gz", ".gz"), ("gz", "gz"), ("app.log.gz.old", "app.log.gz.old"),
    // A number at the end.
    ("my_logs.log.1", "my_logs.log"), ("my_logs.log.10", "my_logs.log"), ("my_logs.log.007", "my_logs.log"),
    ("my_logs.log.1.gz", "my_logs.log"), ("syslog.1", "syslog"), ("app.log.2.1", "app.log.2"),
    ("app.log.", "app.log."), ("app.log.123456789012345678901234567890", "app.log"), (".1", ".1"),
    // logrotate's dateext, with its hour, and what dateformat makes of it.
    ("my_logs.log-20261123", "my_logs.log"), ("my_logs.log-20261123.gz", "my_logs.log"),
    ("my_logs.log-20261123-14", "my_logs.log"), ("my_logs.log-20261123-14.gz", "my_logs.log"),
    ("my_logs.log-2026112314", "my_logs.log"), ("my_logs.log-202611231405", "my_logs.log"),
    ("my_logs.log-20261123140506", "my_logs.log"), ("my_logs.log-20261123_140506", "my_logs.log"),
    ("my_logs.log-20261123-14-05", "my_logs.log"), ("my_logs.log-20261123-14-05-06.gz", "my_logs.log"),
    ("my_logs.log-2026-11-23", "my_logs.log"), ("my_logs.log-2026-11-23-14", "my_logs.log"),
    ("my_logs.log_2026-11-23", "my_logs.log"), ("my_logs.log.2026-11-23", "my_logs.log"),
    ("my_logs.log.20261123", "my_logs.log"), ("my_logs.log_20261123", "my_logs.log"),
    ("my_logs.log-20261123T140506", "my_logs.log"), ("my_logs.log-2026-11-23T14:05:06", "my_logs.log"),
    ("my_logs.log-20261123.1", "my_logs.log"), ("my_logs.log-20261123-14.3.gz", "my_logs.log"),
    // Before the last extension, as logback, log4j and logrotate's `extension` write it.
    ("my_logs.2026-11-23.0.log.gz", "my_logs.log"), ("my_logs.2026-11-23.log", "my_logs.log"),
    ("my_logs.2026-11-23.12.log", "my_logs.log"), ("my_logs-20261123.log", "my_logs.log"),
    ("my_logs-20261123.log.gz", "my_logs.log"), ("my_logs-20261123-14.log", "my_logs.log"),
    ("my_logs_20261123_140506.json", "my_logs.json"), ("my_logs-2026-11-23-14.5.log", "my_logs.log"),
    ("my_logs.20261123.5.log", "my_logs.log"), ("app.tar.20261123.log", "app.tar.log"),
    // Only before the last one.
    ("app-20261123.tar.log", "app-20261123.tar.log"), ("app.20261123.log.1", "app.20261123.log"),
    ("app-20261123.log.old", "app-20261123.log.old"),
    // Real dates only.
    ("app-20261323", "app-20261323"), ("app-20261100", "app-20261100"), ("app-20260229", "app-20260229"),
    ("app-20240229", "app"), ("app-2000-02-29.log", "app.log"), ("app-1900-02-29.log", "app-1900-02-29.log"),
    ("app-2026-04-31", "app-2026-04-31"), ("app.log.20261399", "app.log"), ("app-2026-1-3", "app-2026-1-3"),
    ("app-202611-23", "app-202611-23"), ("app-2026-1123", "app-2026-1123"),
    ("app-20261123-25", "app-20261123-25"),
    ("app-20261123-2460", "app-20261123-2460"), ("app-20261123-1", "app-20261123-1"),
    // One date, the last; set off by one of three.
    ("app-20261122-20261123.log", "app-20261122.log"), ("app20261123.log", "app20261123.log"),
    ("app 20261123.log", "app 20261123.log"), ("app+20261123", "app+20261123"),
    ("app-20261123x", "app-20261123x"), ("app-x20261123", "app-x20261123"),
    ("app-20261123.1.2", "app-20261123.1"),
    // Nothing would be left, or nothing was there.
    ("20261123.log", "20261123.log"), ("2026-11-23.gz", "2026-11-23"), ("-20261123", "-20261123"),
    (".20261123.log", ".20261123.log"), ("1", "1"), ("", ""),
    // Beyond ASCII.
    ("журнал-20261123.log.gz", "журнал.log"), ("日志.2026-11-23.0.log", "日志.log"),
    ("app-٢٠٢٦١١٢٣", "app-٢٠٢٦١١٢٣"), ("app.log.١", "app.log.١"),
  ])
  func isTheNameAsItsWriterSeesIt(file: String, stream: String) {
    #expect(streamName(ofFile: file) == stream)
  }

  /// Compressing a file afterwards must not make another stream of it.
  @Test(arguments: [
    "my_logs.log", "my_logs.log.1", "my_logs.log-20261123-14", "my_logs.2026-11-23.0.log", "app",
  ])
  func gzipChangesNothing(file: String) {
    #expect(streamName(ofFile: file + ".gz") == streamName(ofFile: file))
  }

  @Test(arguments: ["my_logs.log", "app", "日志.json", "a_b-c.d"])
  func everyHourOfALogIsOneStream(log: String) {
    for hour in 0..<24 {
      let two = hour < 10 ? "0\(hour)" : "\(hour)"
      #expect(streamName(ofFile: "\(log)-20261123-\(two)") == log)
      #expect(streamName(ofFile: "\(log)-20261123\(two)00.gz") == log)
      #expect(streamName(ofFile: "\(log).\(hour)") == log)
    }
  }
}
