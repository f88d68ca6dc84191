import ObjectStorage
import Support
import Testing

@testable import Iceberg

/// What a catalog gives for a table's files.
struct TableAccessTests {
  private func access(
    _ answer: String, location: String = "s3://bucket/tables/t", _ properties: JSONValue = [:]
  )
    throws -> TableAccess
  {
    let table = LoadedTable(
      metadata: ["location": .string(location), "properties": properties], version: 0)
    return tableAccess(try JSONValue(parsing: Array(answer.utf8)), table)
  }

  @Test func keysOfTheLongestPrefixAreTaken() throws {
    let access = try access(
      """
      {"config": {"s3.access-key-id": "CONFIG", "s3.secret-access-key": "c", "client.region": "eu-west-3"},
       "storage-credentials": [
        {"prefix": "s3://bucket", "config": {"s3.access-key-id": "BUCKET", "s3.secret-access-key": "b"}},
        {"prefix": "s3a://bucket/tables/t/", "config": {"s3.access-key-id": "TABLE", "s3.secret-access-key": "t",
          "s3.session-token": "x", "s3.session-token-expires-at-ms": "1795564477000"}},
        {"prefix": "gs://bucket", "config": {"gcs.oauth2.token": "g"}}]}
      """)
    let keys = try #require(access.keys(for: "s3://bucket/tables/t"))
    #expect(keys.keys.id == "TABLE" && keys.keys.sessionToken == "x" && keys.region == "eu-west-3")
    #expect(keys.keys.expires == Instant(seconds: 1_795_564_477))
    #expect(access.keys(for: "s3://bucket/tables/tt")?.keys.id == "BUCKET")
    #expect(access.keys(for: "s3://other/x")?.keys.id == "CONFIG")
    #expect(access.roots == ["s3://bucket/tables/t"])
  }

  @Test(arguments: [
    "{}", #"{"config": {}, "storage-credentials": []}"#,
    #"{"config": {"s3.signer.uri": "x"}, "storage-credentials": null}"#,
    #"{"config": {"s3.access-key-id": "A"}}"#, #"{"storage-credentials": [{"prefix": 7}, {"config": 1}]}"#,
  ])
  func whereNothingIsLentOnesOwnAreUsed(_ answer: String) throws {
    let access = try access(answer)
    #expect(access.keys(for: "s3://bucket/tables/t") == nil && access.roots == ["s3://bucket/tables/t"])
  }

  @Test func pathsOutsideTheTableAreNamedToo() throws {
    let access = try access(
      "{}", ["write.data.path": "s3://data/t/", "write.metadata.path": "s3://bucket/tables/t/meta"])
    #expect(access.roots == ["s3://bucket/tables/t", "s3://data/t"])
  }

  @Test func nothingIsPrinted() throws {
    let access = try access(
      #"{"config": {"s3.access-key-id": "A", "s3.secret-access-key": "SECRET", "s3.session-token": "TOKEN"}}"#
    )
    for text in ["\(access)", String(reflecting: access)] {
      #expect(!text.contains("SECRET") && !text.contains("TOKEN"))
    }
  }
}
