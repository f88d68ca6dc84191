import Commands

await Gadwall.main()
