// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "gadwall", path: "..")],
  targets: [
    .executableTarget(
      name: "ScannerBench",
      dependencies: [
        .product(name: "Rows", package: "gadwall"), .product(name: "Files", package: "gadwall"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "StageFloors",
      dependencies: [
        .product(name: "Rows", package: "gadwall"), .product(name: "Files", package: "gadwall"),
        .product(name: "Support", package: "gadwall"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "ProtocolBench", dependencies: [.product(name: "Harvest", package: "gadwall")],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6]
)
