// An independent reading of the original files: docs/table.md once more, in Python, and the table as pyiceberg gives it.

import Support
import TestSupport

/// What the reference reading counted, and where the table differs from it.
struct Comparison: Sendable {
  var differences: [String]
  var lines: Int64
  var entries: Int64
  var malformed: Int64
  var blank: Int64
}

extension TestFleet {
  /// Compares the table column by column, and the raw objects byte by byte, with the files that were put into the fleet.
  func comparison() async throws -> Comparison {
    let printed = try await python(
      referenceReading, [manifest, try tableMetadata(), store], properties: readerProperties)
    let answer = try JSONValue(parsing: printed)
    func count(_ key: String) -> Int64 { answer[key]?.integer ?? -1 }
    return Comparison(
      differences: (answer["differences"]?.array ?? []).map { $0.string ?? "?" }, lines: count("lines"),
      entries: count("entries"), malformed: count("malformed"), blank: count("blank"))
  }
}

/// Written from the rules, not from the scanner: slow, plain, and with Python's own libraries where they do just what the rule says.
let referenceRules = #"""
  import datetime, hashlib, json, pathlib, re, sys

  sys.setrecursionlimit(20_000)
  SPACE = b" \t\r\v\f"
  STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
  NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
  SHAPE = re.compile(r"([^ \t\n\v\f\r\[\]]+) \[([^ \t\n\v\f\r\[\]]+)\]( .*)?\Z", re.S)
  TIME = re.compile(
      r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?\Z", re.A)

  class Wrong(Exception):
      pass

  class Parser:
      """RFC 8259; every value comes with its text, less the blanks between tokens."""

      def __init__(self, text):
          self.text, self.at = text, 0

      def skip(self):
          while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
              self.at += 1

      def take(self, pattern):
          found = pattern.match(self.text, self.at)
          if not found:
              raise Wrong
          self.at = found.end()
          return found.group()

      def string(self):
          raw = self.take(STRING)
          value = json.loads(raw)
          if any(0xD800 <= ord(c) < 0xE000 for c in value):
              raise Wrong
          return raw, value

      def members(self, close, one):
          self.at += 1
          self.skip()
          found = []
          if self.text[self.at:self.at + 1] == close:
              self.at += 1
              return found
          while True:
              found.append(one())
              self.skip()
              sign = self.text[self.at:self.at + 1]
              self.at += 1
              if sign == close:
                  return found
              if sign != ",":
                  raise Wrong
              self.skip()

      def member(self, depth):
          raw, key = self.string()
          self.skip()
          if self.text[self.at:self.at + 1] != ":":
              raise Wrong
          self.at += 1
          return raw, key, self.value(depth)

      def value(self, depth):
          self.skip()
          sign = self.text[self.at:self.at + 1]
          if sign and sign in "{[" and depth >= 512:
              raise Wrong
          if sign == "{":
              found = self.members("}", lambda: self.member(depth + 1))
              return "{" + ",".join(raw + ":" + value[0] for raw, _, value in found) + "}", found
          if sign == "[":
              found = self.members("]", lambda: self.value(depth + 1))
              return "[" + ",".join(value[0] for value in found) + "]", None
          if sign == '"':
              return self.string()
          for word in ("true", "false", "null"):
              if self.text.startswith(word, self.at):
                  self.at += len(word)
                  return word, None
          return self.take(NUMBER), None

  def instant(text):
      found = TIME.match(text)
      if not found:
          return None
      year, month, day, hour, minute, second, fraction, zone = found.groups()
      try:
          time = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
                                   int(((fraction or "") + "000000")[:6]))
          if zone and zone not in "Zz":
              digits = zone[1:].replace(":", "").ljust(4, "0")
              if int(digits[:2]) > 23 or int(digits[2:]) > 59:
                  return None
              offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
              time = time - offset if zone[0] == "+" else time + offset
          return time.replace(tzinfo=datetime.timezone.utc)
      except (ValueError, OverflowError):
          return None

  def entry(text):
      parser = Parser(text)
      value = parser.value(0)
      parser.skip()
      if parser.at != len(text):
          raise Wrong
      if not value[0].startswith("{"):
          return None
      row, extra = {}, []
      columns = {"@timestamp": "ts", "message": "message", "id": "id", "@version": "version"}
      for raw, key, (token, inner) in value[1]:
          column = columns.get(key)
          if column is None or column in row:
              extra.append(raw + ":" + token)
          elif column == "ts":
              row["ts"] = instant(inner) if token.startswith('"') else None
              if row["ts"] is None and token != "null":
                  extra.append(raw + ":" + token)
          else:
              row[column] = inner if token.startswith('"') else None if token == "null" else token
              if column == "message" and token.startswith('"'):
                  shape = SHAPE.match(inner)
                  if shape:
                      row["service"], row["category"] = shape.group(1), shape.group(2)
      row["extra"] = "{" + ",".join(extra) + "}" if extra else None
      return row

  def escaped(line):
      text = line.replace(b"\\", b"\\\\").decode("utf-8", "surrogateescape")
      return "".join("\\x%02x" % (ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)

  def reading(line):
      if len(line) > 4 << 20:
          return {"malformed": "too-long", "text": line[:64 << 10].decode("utf-8", "replace")}
      try:
          text = line.decode("utf-8")
      except UnicodeDecodeError:
          return {"malformed": "invalid-utf8", "text": escaped(line)}
      if "\0" in text:
          return {"malformed": "nul-byte", "text": text}
      try:
          row = entry(text)
          return {"malformed": "not-an-object", "text": text} if row is None else row
      except Wrong:
          return {"malformed": "not-json", "text": text}

  names = ["ts", "service", "category", "message", "id", "version", "region", "zone", "node", "stream", "rotated",
           "batch", "line", "extra", "malformed", "text"]

  def rows(content, live=False):
      """Every line's number and its row, which is None for a blank one. What is being written ends at its last line end."""
      lines = content.split(b"\n")
      last = lines.pop()
      lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
      for number, line in enumerate(lines + [last] if last and not live else lines, 1):
          if not line.strip(SPACE):
              yield number, None
              continue
          row = dict.fromkeys(names)
          row.update(reading(line))
          yield number, row

  def batch_of(file, content):
      digest = hashlib.sha256(content).hexdigest()
      parts = ["gadwall-batch-1", file["region"], file["zone"], file["node"], file["folder"], file["stream"],
               str(file["rotated"]), digest]
      return hashlib.sha256("".join(part + "\n" for part in parts).encode()).hexdigest()
  """#

private let referenceReading =
  referenceRules + #"""

    import collections, gzip
    from pyiceberg.table import StaticTable

    manifest, metadata, store = sys.argv[1:]
    wanted, differences, counts = {}, [], collections.Counter()

    for text in pathlib.Path(manifest).read_text().splitlines():
        file = json.loads(text)
        content = pathlib.Path(file["content"]).read_bytes()
        batch = batch_of(file, content)
        rotated = datetime.datetime.fromtimestamp(file["rotated"], datetime.timezone.utc)
        raw = pathlib.Path(store, "raw", "dt=" + rotated.strftime("%Y-%m-%d"), batch[:12], "%s-%s-%s-RAW-%s.json.gz" % (
            file["region"], file["zone"], file["node"], rotated.strftime("%Y%m%d%H%M")))
        if not raw.exists():
            differences.append(f"{file['name']}: no raw object {raw}")
        elif gzip.decompress(raw.read_bytes()) != content:
            differences.append(f"{file['name']}: its raw object holds something else")
        for number, row in rows(content):
            counts["lines"] += 1
            if row is None:
                counts["blank"] += 1
                continue
            counts["malformed" if row["malformed"] else "entries"] += 1
            row.update(region=file["region"], zone=file["zone"], node=file["node"], stream=file["stream"],
                       rotated=rotated, batch=batch, line=number)
            if (batch, number) in wanted:
                sys.exit("the fleet holds the same batch twice: " + file["name"])
            wanted[batch, number] = row

    seen = set()
    for row in StaticTable.from_metadata(metadata, properties).scan().to_arrow().to_pylist():
        key = row["batch"], row["line"]
        if key in seen:
            differences.append(f"row {key} is there twice")
        seen.add(key)
        if key not in wanted:
            differences.append(f"row {key} ({row['stream']}) is there and should not be: {str(row)[:300]}")
            continue
        for name in names:
            if row[name] != wanted[key][name]:
                differences.append(f"{wanted[key]['stream']} line {key[1]}, {name}: {str(row[name])[:300]!r} is there, "
                                   f"{str(wanted[key][name])[:300]!r} is right")
    for key in wanted.keys() - seen:
        differences.append(f"row {key} of {wanted[key]['stream']} is missing: {str(wanted[key])[:300]}")
    print(json.dumps({"differences": sorted(differences)[:20], "lines": counts["lines"], "entries": counts["entries"],
                      "malformed": counts["malformed"], "blank": counts["blank"]}))
    """#
