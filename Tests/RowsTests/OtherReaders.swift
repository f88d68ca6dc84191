import DuckDB
import Files
import Rows
import Support
import TestSupport

/// The readers of JSON that the scanner is compared with.
enum OtherReader: String, Codable, Sendable, CaseIterable { case duckdb, orjson, python }

/// What is compared of a line.
enum Aspect: String, Codable, Sendable { case isEntry, id, message, ts, shape, extra }

/// Where another reader is known to say something else, by name. The raw value is what the script calls a line that has it.
enum KnownDifference: String, Codable, Sendable, CaseIterable {
  case deeperThan512, loneSurrogate, notANumber, trailingComma, hugeNumber, duplicateKey, spelling, timeForm
  case zoneOfAnEarlierRow

  var reason: String {
    switch self {
    case .deeperThan512: "Our limit of 512 levels is ours; the others go deeper."
    case .loneSurrogate:
      "Python's json reads half a surrogate pair and makes a string of it that is no Unicode."
    case .notANumber: "Python's json and DuckDB read NaN and Infinity, which RFC 8259 hasn't."
    case .trailingComma: "DuckDB reads a comma before a closing bracket."
    case .hugeNumber: "orjson refuses numbers beyond a double."
    case .duplicateKey: "Of a duplicate key orjson takes the last."
    case .spelling: "DuckDB and orjson write numbers and escapes of their own; we keep the line's."
    case .timeForm:
      "DuckDB's cast reads other forms of time (24:00, names of zones, one digit), and not all of ours."
    case .zoneOfAnEarlierRow:
      "DuckDB's cast reads a time without a zone in the zone whose name an earlier row of the same vector has."
    }
  }

  /// Who differs, and in what.
  var scope: [OtherReader: Set<Aspect>] {
    switch self {
    case .deeperThan512: [.duckdb: [.isEntry], .orjson: [.isEntry], .python: [.isEntry]]
    case .loneSurrogate: [.python: [.isEntry]]
    case .notANumber: [.duckdb: [.isEntry], .python: [.isEntry]]
    case .trailingComma: [.duckdb: [.isEntry]]
    case .hugeNumber: [.orjson: [.isEntry]]
    case .duplicateKey: [.orjson: [.id, .message, .ts, .shape]]
    case .spelling: [.duckdb: [.id, .message], .orjson: [.id, .message]]
    case .timeForm, .zoneOfAnEarlierRow: [.duckdb: [.ts]]
    }
  }
}

/// One line on which a reader and the scanner differ.
struct Disagreement: Codable, Sendable {
  var line: String
  var reader: OtherReader
  var aspect: Aspect
  var ours: String
  var theirs: String
  var traits: [KnownDifference]
}

/// What the scanner and the other readers make of the same lines, where they differ.
func disagreements(_ lines: [[UInt8]]) async throws -> [Disagreement] {
  try await withScratch { folder in
    let path = joined(folder, "lines.ndjson")
    try publish(Array(lines.joined(separator: [0x0A])) + [0x0A], at: path, replacing: false)
    let constant = BatchColumns(
      region: "", zone: "", node: "", stream: "", rotated: Instant(seconds: 0), batch: "")
    let scanned = try await scan(BlockedFile(Array(lines.joined(separator: [0x0A]))))
    try publish(
      scanned.rows.flatMap { $0.json(constant) }, at: joined(folder, "ours.ndjson"), replacing: false)
    // DuckDB passes over blank lines, and has a NULL for each other line that it can't read.
    let read: SQL = """
      COPY (SELECT json_type(json) AS kind, json->>'$.id' AS id, json->>'$.message' AS message,
        epoch_us(TRY_CAST(json->>'$."@timestamp"' AS TIMESTAMPTZ)) AS ts
        FROM read_ndjson_objects(\(path), ignore_errors = true, maximum_object_size = 33554432))
      TO \(joined(folder, "duckdb.ndjson")) (FORMAT json)
      """
    var settings = DuckDB.Settings()
    settings.threads = 1
    try await testDuckDB().run([read], settings)
    let output = try await python(comparison, [folder])
    return try decodeJSON([Disagreement].self, from: output, code: "test.output", document: "The comparison")
  }
}

/// Reads the lines with orjson and with Python's own json, works out the rules for times and messages with `re` and `datetime`, and
/// prints where the rows of the scanner differ.
private let comparison = #"""
  import datetime, json, orjson, re, sys
  folder = sys.argv[1]
  sys.setrecursionlimit(5000)

  class Raw(str): pass
  class Pairs(list): pass

  def constant(text): return Raw(text)

  def pairs_of(text):
      return json.loads(text, object_pairs_hook=Pairs, parse_int=Raw, parse_float=Raw, parse_constant=constant)

  TIME = re.compile(r'(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?', re.A)
  SHAPE = re.compile(r'([^ \t\n\v\f\r\[\]]+) \[([^ \t\n\v\f\r\[\]]+)\]( .*)?', re.S)

  def micros(text):
      found = TIME.fullmatch(text)
      if not found: return None
      year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
      if hour > 23 or minute > 59 or second > 59: return None
      fraction, zone = int(((found[7] or '') + '000000')[:6]), found[8] or 'Z'
      offset = 0
      if zone not in 'Zz':
          digits = zone[1:].replace(':', '') + '00'
          if int(digits[:2]) > 23 or int(digits[2:4]) > 59: return None
          offset = (int(digits[:2]) * 60 + int(digits[2:4])) * (-1 if zone[0] == '-' else 1)
      try:
          # Python has no year 0: a leap year of the same calendar, 400 years on, has its days.
          moved = datetime.datetime(year + 400 if year < 9000 else year, month, day, hour, minute, second)
      except ValueError: return None
      shift = 146097 * 86400 if year < 9000 else 0
      total = (moved - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1) - shift - offset * 60
      if not -62135596800 <= total < 253402300800: return None
      return total * 1000000 + fraction

  def plain(value):
      # A member's value as the column would have it, numbers by their text, other values by what they mean.
      if value is None or type(value) is str: return value
      return ('json', value)

  def ours_as(value, original):
      # Ours is text: the JSON of a value that is no string is compared by what it means.
      if isinstance(original, tuple):
          return ('json', original[1].__class__(value) if isinstance(original[1], Raw) else pairs_of(value)) if value is not None else None
      return value

  STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
  NUMBER = re.compile(r'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?', re.A)
  PAIR = re.compile(r'\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}', re.A)
  HALF = re.compile(r'\\u[dD][89a-fA-F]', re.A)

  def traits(line, pairs):
      text = line.decode('utf-8', 'replace')
      bare = STRINGS.sub('""', text)
      found = []
      depth = deepest = 0
      for c in bare:
          depth += (c in '[{') - (c in ']}')
          deepest = max(deepest, depth)
      if deepest > 512: found.append('deeperThan512')
      if HALF.search(PAIR.sub('', text.replace('\\\\', ''))): found.append('loneSurrogate')
      if re.search('nan|inf', bare, re.I): found.append('notANumber')
      if re.search(r',\s*[\]}]', bare): found.append('trailingComma')
      if any(float(n) in (float('inf'), float('-inf')) for n in NUMBER.findall(bare)): found.append('hugeNumber')
      if isinstance(pairs, Pairs):
          keys = [k for k, _ in pairs]
          if any(keys.count(k) > 1 for k in ('id', 'message', '@timestamp')): found.append('duplicateKey')
          if any(k in ('id', 'message') and type(v) is not str and v is not None and v not in (True, False) for k, v in pairs): found.append('spelling')
          times = [v for k, v in pairs if k == '@timestamp'][:1]
          if times and not (type(times[0]) is str and re.fullmatch(r'\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d(:\d\d)?)?', times[0], re.A)): found.append('timeForm')
          elif times and re.search(r':\d\d(\.\d+)?$', times[0]) and times[0][-6] not in '+-': found.append('zoneOfAnEarlierRow')
      return found

  ours = {}
  for line in open(folder + '/ours.ndjson', 'rb'):
      row = orjson.loads(line)
      ours[row['line']] = row
  duck = [orjson.loads(line) for line in open(folder + '/duckdb.ndjson', 'rb')]
  out = []
  at = 0
  lines = open(folder + '/lines.ndjson', 'rb').read().split(b'\n')[:-1]
  for number, line in enumerate(lines, 1):
      if not line.strip(b' \t\r\v\f'):
          assert number not in ours, line
          continue
      row = ours[number]
      theirs_duck = duck[at]
      at += 1
      try: pairs = pairs_of(line.decode('utf-8'))
      except ValueError: pairs = 'refused'
      try: values = orjson.loads(line)
      except ValueError: values = 'refused'
      marks = traits(line, pairs)

      def differ(reader, aspect, a, b):
          if a != b:
              out.append({'line': repr(line[:300]), 'reader': reader, 'aspect': aspect, 'ours': repr(a)[:300], 'theirs': repr(b)[:300], 'traits': marks})

      entry = row['malformed'] is None
      assert (row['text'] is None) == entry
      differ('duckdb', 'isEntry', entry, theirs_duck.get('kind') == 'OBJECT')
      differ('orjson', 'isEntry', entry, isinstance(values, dict))
      differ('python', 'isEntry', entry, isinstance(pairs, Pairs))
      if not entry: continue
      our_ts = micros(row['ts']) if row['ts'] else None
      if theirs_duck.get('kind') == 'OBJECT':
          differ('duckdb', 'id', row['id'], theirs_duck.get('id'))
          differ('duckdb', 'message', row['message'], theirs_duck.get('message'))
          differ('duckdb', 'ts', our_ts, theirs_duck.get('ts'))
      for reader, read in (('orjson', values), ('python', pairs)):
          if reader == 'python' and isinstance(read, Pairs):
              first = {}
              rest = Pairs()
              for key, value in read:
                  taken = key in ('id', '@version', 'message', '@timestamp') and key not in first
                  if taken: first[key] = value
                  if taken and key == '@timestamp' and value is not None and (type(value) is not str or micros(value) is None): taken = False
                  if not taken: rest.append((key, value))
              differ('python', 'extra', pairs_of(row['extra']) if row['extra'] is not None else None, rest or None)
          elif reader == 'orjson' and isinstance(read, dict): first = read
          else: continue
          for aspect in ('id', 'message'):
              value = plain(first.get(aspect))
              if reader == 'orjson' and isinstance(value, tuple): value = orjson.dumps(value[1]).decode()
              differ(reader, aspect, ours_as(row[aspect], value), value)
          time = first.get('@timestamp')
          differ(reader, 'ts', our_ts, micros(time) if type(time) is str else None)
          message = first.get('message')
          shape = SHAPE.fullmatch(message) if type(message) is str else None
          differ(reader, 'shape', (row['service'], row['category']), (shape[1], shape[2]) if shape else (None, None))
  assert at == len(duck), (at, len(duck))
  sys.stdout.buffer.write(orjson.dumps(out))
  """#
