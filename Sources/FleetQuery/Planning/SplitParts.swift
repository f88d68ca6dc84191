import Support

/// What travels: the keys, what sets are made of, and the partial values.
struct SplitParts {
  let keys: [Syntax]
  private let plainKeys: Set<Syntax>
  /// Of which every value travels once.
  var members: [Syntax] = []
  var values: [Syntax] = []
  /// For each partial value, of which set's groups it is made; nil for the set that is grouped by the keys alone, if there is one.
  private var setsOfValues: [Int?] = []
  /// How often each group was there matters.
  var areCounted = false
  /// Parameters of the lambdas around what is looked at.
  var bound: Set<String> = []
  /// What aggregates that don't merge are made of, each by itself.
  private var needs: [Set<Syntax>] = []
  private let known: SplitSets

  static func key(_ index: Int) -> String { "\(keyPrefix)\(index)" }
  static func member(_ index: Int) -> String { "\(memberPrefix)\(index)" }
  static func value(_ index: Int) -> String { "\(valuePrefix)\(index)" }
  static let keyPrefix = "gadwall_g"
  static let memberPrefix = "gadwall_h"
  static let valuePrefix = "gadwall_p"

  init(keys: [Syntax], sets: SplitSets) {
    self.keys = keys
    plainKeys = Set(keys.map(\.normalized))
    known = sets
  }

  var hasSets: Bool { known.count > 1 }

  /// Places of keys and members, for each set of groups.
  var sets: [[Int]] { setsOfMembers + (known.hasValues ? [Array(keys.indices)] : []) }

  /// Those that aggregates by value or of sets have.
  var setsOfMembers: [[Int]] {
    let all = Array(0..<(keys.count + members.count))
    guard hasSets else { return [all] }
    return known.families.map { family in
      all.filter { place in
        place < keys.count || isTold(members[place - keys.count].normalized, by: family)
      }
    }
  }

  /// The set in whose groups these values are told apart; nil when there is none.
  func set(of needed: [Syntax]) -> Int? {
    let plain = needed.map(\.normalized)
    return known.families.firstIndex { family in plain.allSatisfy { isTold($0, by: family) } }
  }

  private func isTold(_ plain: Syntax, by family: Set<Syntax>) -> Bool {
    family.contains(plain) || plainKeys.contains(plain)
  }

  /// What there should be sets for, as far as is known now: families none of which is part of another, and partial values.
  var wanted: SplitSets {
    var families: [Set<Syntax>] = []
    for need in needs.map({ $0.subtracting(plainKeys) }).sorted(by: { $0.count > $1.count })
    where !need.isEmpty && !families.contains(where: need.isSubset) { families.append(need) }
    // So many are no longer worth it.
    if families.count > Self.mostSets { families = [families.reduce(into: []) { $0.formUnion($1) }] }
    return SplitSets(families: families, hasValues: !families.isEmpty && setsOfValues.contains(nil))
  }

  private static let mostSets = 8

  /// What an aggregate that doesn't merge is made of travels.
  mutating func add(members new: [Syntax]) { needs.append(Set(new.map(\.normalized))) }

  mutating func addMember(_ value: Syntax) -> Syntax {
    .column(Self.member(Self.index(of: value, in: &members)))
  }

  mutating func addValue(_ value: Syntax, of set: Int? = nil) -> Syntax {
    let index = Self.index(of: value, in: &values)
    if index == setsOfValues.count { setsOfValues.append(set) }
    return .column(Self.value(index))
  }

  private static func index(of value: Syntax, in list: inout [Syntax]) -> Int {
    let plain = value.normalized
    if let index = list.firstIndex(where: { $0.normalized == plain }) { return index }
    list.append(value)
    return list.count - 1
  }

  /// Which set a group is of, from what its columns are grouped by. Of the keys alone is what no member tells apart.
  private func isOf(_ set: Int) -> Syntax {
    let isValues = set == known.families.count
    let own = isValues ? known.families.reduce(into: []) { $0.formUnion($1) } : known.families[set]
    let tests = members.filter { own.contains($0.normalized) }.map { member in
      Syntax.comparison("COMPARE_EQUAL", .grouping(member), .bigint(isValues ? 1 : 0))
    }
    return tests.count == 1 ? tests[0] : .and(tests)
  }

  /// The node's partial values, each in its own set's groups alone.
  var valuesOfSets: [Syntax] {
    guard hasSets else { return values }
    return zip(values, setsOfValues).map { .when(isOf($1 ?? known.families.count), $0) }
  }

  /// The number of a group's set.
  var setNumber: Syntax {
    (0..<known.count).reversed().reduce(Syntax.null) { rest, set in
      .when(isOf(set), .bigint(Int64(set)), else: rest == .null ? nil : rest)
    }
  }
}

/// By what the rows are grouped, each time beside the keys: two columns with a thousand values each have a thousand groups, and together they could have a
/// million.
struct SplitSets: Equatable {
  /// What travels together, whatever becomes of the aggregates that are made of nothing else.
  var families: [Set<Syntax>] = []
  /// Whether there are partial values beside, which are made of all rows of a key.
  var hasValues = false

  var count: Int { families.count + (hasValues ? 1 : 0) }
}
