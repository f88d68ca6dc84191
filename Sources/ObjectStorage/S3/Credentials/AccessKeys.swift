public import Support

/// What a request is signed with. Never printed: its description names no part of it.
public struct AccessKeys: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  public var id: String
  public var secret: String
  public var sessionToken: String?
  /// An access token of Google's, which is sent in place of a signature; id and secret are empty then.
  public var bearer: String?
  /// When they stop working; nil when they last.
  public var expires: Instant?

  public init(id: String, secret: String, sessionToken: String? = nil, expires: Instant? = nil) {
    self.id = id
    self.secret = secret
    self.sessionToken = sessionToken
    self.expires = expires
  }

  public init(bearer: String, expires: Instant?) {
    self.init(id: "", secret: "", expires: expires)
    self.bearer = bearer
  }

  public var description: String { "access keys" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
