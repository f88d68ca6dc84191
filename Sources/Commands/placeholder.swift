public enum Gadwall { public static func main() async {} }
