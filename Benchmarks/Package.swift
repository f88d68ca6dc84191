// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "gadwall", path: "..")],
  targets: [
    .executableTarget(
      name: "ScannerBench", dependencies: [.product(name: "Rows", package: "gadwall")],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ],
  swiftLanguageModes: [.v6]
)
