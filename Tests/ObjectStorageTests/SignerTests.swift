import HTTP
import Support
import Testing

@testable import ObjectStorage

/// The examples of AWS's documentation ("Signature calculations for the Authorization header", "Authenticating requests: using query parameters").
@Suite struct SignerTests {
  private let signer = Signer(
    keys: AccessKeys(id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1")
  /// 2013-05-24T00:00:00Z
  private let time = Instant(seconds: 1_369_353_600)
  private let host = "examplebucket.s3.amazonaws.com"

  private func signature(_ request: SignableRequest, payload: String = Signer.emptyPayload) -> String {
    let headers = signer.signed(request, payload: payload, at: time)
    let value = headers.first { $0.name == "Authorization" }?.value ?? ""
    return String(value.split(separator: "=").last ?? "")
  }

  @Test func anObjectIsReadInPart() {
    let request = SignableRequest(
      method: "GET", host: host, path: "/test.txt", headers: [("Range", "bytes=0-9")])
    #expect(signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test func anObjectIsWritten() {
    let request = SignableRequest(
      method: "PUT", host: host, path: "/" + percentEncoded("test$file.text", keepingSlashes: true),
      headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")])
    let payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    #expect(
      signature(request, payload: payload)
        == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
  }

  @Test func aNameWithoutAValueIsSigned() {
    let request = SignableRequest(method: "GET", host: host, path: "/", query: [("lifecycle", "")])
    #expect(signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
  }

  @Test func aListingIsAskedFor() {
    let request = SignableRequest(
      method: "GET", host: host, path: "/", query: [("prefix", "J"), ("max-keys", "2")])
    #expect(signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    #expect(request.encodedQuery == "max-keys=2&prefix=J")
  }

  @Test func aURLIsPresigned() {
    let request = signer.presigned(
      SignableRequest(method: "GET", host: host, path: "/test.txt"), at: time, seconds: 86_400)
    #expect(
      request.query.last?.value == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    #expect(request.query.last?.name == "X-Amz-Signature")
  }

  /// "Signature Version 4 test suite", get-vanilla and its kin: another service, whose path is encoded once more.
  @Test(
    arguments: [
      ([], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
      (
        [("Param2", "value2"), ("Param1", "value1")],
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
      ),
    ] as [([(String, String)], String)]) func anotherServiceIsAsked(
      _ query: [(String, String)], _ wanted: String
    )
  {
    let signer = Signer(
      keys: AccessKeys(id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      region: "us-east-1",
      service: "service")
    let request = SignableRequest(
      method: "GET", host: "example.amazonaws.com", path: "/", query: query.map { (name: $0.0, value: $0.1) })
    // 2015-08-30T12:36:00Z
    let headers = signer.signed(request, payload: Signer.emptyPayload, at: Instant(seconds: 1_440_938_160))
    #expect(headers.last?.value.hasSuffix("Signature=\(wanted)") == true)
  }

  @Test func pathsAndQueriesAreEncodedOnceAndCompletely() {
    let request = SignableRequest(
      method: "PUT", host: host,
      path: "/" + percentEncoded("raw/dt=2026-11-23/a b+c%d/ü.gz", keepingSlashes: true),
      query: [("uploads", ""), ("b", "+ %/=&"), ("a", "ü"), ("a", "B")])
    #expect(request.path == "/raw/dt%3D2026-11-23/a%20b%2Bc%25d/%C3%BC.gz")
    #expect(request.encodedQuery == "a=%C3%BC&a=B&b=%2B%20%25%2F%3D%26&uploads=")
    // Another service has the path encoded twice.
    let glue = Signer(keys: signer.keys, region: "us-east-1", service: "glue")
    #expect(glue.canonicalRequest(request, payload: "x").text.contains("/raw/dt%253D2026-11-23/"))
  }

  @Test func theSessionTokenIsSigned() {
    var keys = signer.keys
    keys.sessionToken = "token"
    let headers = Signer(keys: keys, region: "r").signed(
      SignableRequest(method: "GET", host: host, path: "/"), payload: Signer.emptyPayload, at: time)
    #expect(headers.contains { $0.name == "x-amz-security-token" && $0.value == "token" })
    #expect(headers.last?.value.contains("x-amz-security-token") == true)
  }

  @Test func keysAreNeverPrinted() {
    let keys = AccessKeys(id: "id", secret: "very-secret", sessionToken: "token")
    #expect(!"\(keys) \(String(reflecting: keys))".contains("secret"))
    var dumped = ""
    dump(keys, to: &dumped)
    #expect(!dumped.contains("very-secret"))
  }
}
