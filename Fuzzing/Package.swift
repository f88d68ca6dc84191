// swift-tools-version: 6.2
import PackageDescription

// Coverage-guided fuzzing of everything that reads what others wrote. ci/fuzz builds it, since the instrumentation has to go into the
// modules under test as well.
let package = Package(
  name: "fuzzing",
  dependencies: [.package(name: "gadwall", path: "..")],
  targets: [
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        .product(name: "Properties", package: "gadwall"), .product(name: "Support", package: "gadwall"),
      ],
      // libFuzzer brings the main function.
      swiftSettings: [.treatAllWarnings(as: .error), .unsafeFlags(["-parse-as-library"])])
  ],
  swiftLanguageModes: [.v6]
)
