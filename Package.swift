// swift-tools-version: 6.2
import PackageDescription

// The target graph of ARCHITECTURE.md. Dependencies point only downwards in this list;
// `make check` fails when a file imports what its own target does not declare.

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

func part(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
  name: "gadwall",
  products: [
    .executable(name: "gadwall", targets: ["gadwall"]),
    // The scanner and its frames, for Benchmarks/.
    .library(name: "Rows", targets: ["Rows"]), .library(name: "Files", targets: ["Files"]),
    // The protocol with all that it stands on, for the same.
    .library(
      name: "Harvest",
      targets: ["Harvest", "Fleet", "Logs", "Iceberg", "DuckDB", "ObjectStorage", "HTTP", "Files", "Support"]),
    // For Fuzzing/.
    .library(name: "Properties", targets: ["Properties"]),
    .library(name: "Support", targets: ["Support"]),
  ],
  targets: [
    .executableTarget(name: "gadwall", dependencies: ["Commands"], swiftSettings: strict),
    part(
      "Commands",
      [
        "FleetQuery", "Harvest", "Fleet", "Ledger", "Logs", "Rows", "Iceberg", "DuckDB", "ObjectStorage",
        "HTTP", "Processes", "Files", "CommandLine", "Configuration", "Support", "CShims",
      ]),
    part(
      "FleetQuery",
      [
        "Harvest", "Fleet", "Ledger", "Logs", "Rows", "Iceberg", "DuckDB", "ObjectStorage", "Processes",
        "Files", "Support", "CShims",
      ]),
    part(
      "Harvest",
      [
        "Fleet", "Ledger", "Logs", "Rows", "Iceberg", "DuckDB", "ObjectStorage", "Processes",
        "Files", "Support",
      ]),
    part("Fleet", ["Logs", "HTTP", "Processes", "Files", "Support"]),
    part("Ledger", ["Logs", "Files", "Support", "CSQLite"]),
    part("Logs", ["Files", "Support", "CShims"]),
    part("Rows", ["Files", "Support", "CShims"]),
    part("Iceberg", ["DuckDB", "ObjectStorage", "HTTP", "Files", "Support"]),
    part("DuckDB", ["Processes", "Files", "Support"]),
    part("ObjectStorage", ["HTTP", "Processes", "Files", "Support", "CExpat"]),
    part("HTTP", ["Files", "Support", "CCurl"]),
    part("Processes", ["Files", "Support", "CShims"]),
    part("Files", ["Support", "CShims", "CCrypto"]),
    part("CommandLine", ["Support"]),
    part("Configuration", ["Files", "Support", "CYAML"]),
    part("Support", ["CShims"]),

    .target(
      name: "CShims",
      cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("isal")]),
    .systemLibrary(
      name: "CSQLite", path: "Sources/CSystem/SQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(
      name: "CCrypto", path: "Sources/CSystem/Crypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CYAML", path: "Sources/CSystem/YAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"])]),

    .systemLibrary(
      name: "CCurl", path: "Sources/CSystem/Curl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
      name: "CExpat", path: "Sources/CSystem/Expat", pkgConfig: "expat",
      providers: [.apt(["libexpat1-dev"])]),

    .target(
      name: "Properties",
      dependencies: [
        "Commands", "Harvest", "Fleet", "Logs", "Rows", "Iceberg", "DuckDB", "ObjectStorage", "Files",
        "CommandLine", "Configuration", "Support",
      ],
      path: "Tests/Properties", swiftSettings: strict),
    .target(
      name: "TestSupport",
      dependencies: ["DuckDB", "ObjectStorage", "HTTP", "Processes", "Files", "Support"],
      path: "Tests/TestSupport", swiftSettings: strict),
    tests("SupportTests", ["Support"]),
    tests("PropertiesTests", ["Properties", "Support"]),
    tests("DocumentationTests", ["Processes", "Files", "Support", "gadwall"]),
    tests(
      "HarvestTests",
      [
        "Harvest", "Fleet", "Ledger", "Logs", "Iceberg", "DuckDB", "ObjectStorage", "HTTP", "Processes",
        "Files",
        "Support",
      ]),
    tests(
      "FleetQueryTests",
      [
        "FleetQuery", "Harvest", "Fleet", "Logs", "Rows", "Iceberg", "DuckDB", "ObjectStorage", "Processes",
        "Files", "Support",
      ]),
    tests(
      "IcebergTests",
      ["Properties", "Iceberg", "DuckDB", "ObjectStorage", "HTTP", "Processes", "Files", "Support"]),
    tests("LedgerTests", ["Ledger", "Logs", "Files", "Support"]),
    tests("LogsTests", ["Logs", "Files", "Support", "CShims"]),
    tests("ConfigurationTests", ["Configuration", "Files", "Support"]),
    tests("CommandLineTests", ["CommandLine", "Support"]),
    tests("ObjectStorageTests", ["ObjectStorage", "HTTP", "Processes", "Files", "Support"]),
    tests("FleetTests", ["Fleet", "Logs", "HTTP", "Processes", "Files", "Support"]),
    tests("HTTPTests", ["HTTP", "Processes", "Files", "Support"]),
    tests("DuckDBTests", ["DuckDB", "Processes", "Files", "Support"]),
    tests("ProcessesTests", ["Processes", "Files", "Support"]),
    tests("FilesTests", ["Files", "Processes", "Support"]),
    tests("RowsTests", ["Rows", "Files", "DuckDB", "Support", "CShims"]),
    tests("Acceptance", ["gadwall", "DuckDB", "Processes", "Files", "Support"]),
  ],
  swiftLanguageModes: [.v6]
)
