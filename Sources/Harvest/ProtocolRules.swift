/// The rules of the protocol that keep a line from being lost or archived twice. All of them hold.
///
/// Nothing outside of this target can switch one off. A test does, to show that the loss or the duplicate which the rule prevents is real, and
/// that the test would see it.
struct ProtocolRules: Sendable {
  // On a node.

  /// A stage reports every bundle without a proof, whoever staged it; not only its own.
  var reportsAllUnproven = true
  /// A try has a random name; not one that a lost ledger would count to again.
  var triesHaveRandomNames = true
  /// A bundle of which a part is proven is taken apart, and the rest staged again.
  var dissolvesPartlyProven = true
  /// A bundle with a complete try is committed from it, whether its files still exist or not.
  var completeTriesOutliveTheirFiles = true
  /// A batch whose file is gone is read from its raw object.
  var readsFromRawObjects = true
  /// A raw object that is there is judged by its content; gzip'd by another program it has other bytes.
  var judgesRawObjectsByContent = true
  /// A file's content is compared with what was archived before it is deleted.
  var comparesBeforeDeleting = true

  // On the control machine.

  /// A batch that any run's proof or marker names is there, also after the first try of a commit.
  var checksAgainInFull = true
  /// The table is loaded before the proofs are listed.
  var loadsTableBeforeProofs = true
  /// An index that goes beyond a run without knowing it is removed once that run is proven.
  var dropsAnIndexThatHidesAProof = true
  /// Markers in the table's properties count, not only the snapshots' summaries.
  var believesMarkers = true
  /// A marker names the bundles that its commit left out: those are not there by it.
  var believesWhatWasLeftOut = true
  /// A bundle whose data files are gone from the store is left out, and staged again.
  var looksForDataFiles = true
  /// A bundle of which a part is there is left out whole.
  var leavesOutPartlyThere = true
  /// An orphan's batches have to be proven through other files.
  var sparesUnprovenOrphans = true
}
