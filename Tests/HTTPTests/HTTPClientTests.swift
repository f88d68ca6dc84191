import HTTP
import Testing

@Suite struct HTTPClientTests {
}
