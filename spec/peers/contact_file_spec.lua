local C = require "support.contacts"

local A = ("A1"):rep(20)
local B = ("B2"):rep(20)

local function parse(text)
  local f = C.new()
  assert(f:parse(text))
  return f
end

-- "host:port fingerprint note" of each contact
local function lines(f)
  local out = {}
  for i, c in ipairs(f:contacts()) do
    out[i] = ("%d %s:%d %s %s"):format(c.line, c.host, c.port, c.fingerprint, c.note):gsub(" +$", "")
  end
  return out
end

-- what is wrong with a line on its own
local function complaint(line)
  local f = parse(line)
  local count, errors = f:errors()
  assert.equal(1, count, line)
  assert.same({}, f:contacts(), line)
  return errors[1].text
end

describe("contact_file", function()
  it("P1.4 reads host, port, fingerprint and note", function()
    local f = parse("example.org:4788\n" ..
      "192.0.2.1:4788 " .. A .. "\n" ..
      "  [2001:db8::1]:1\t" .. B:lower() .. "  # Bob at home # really\n" ..
      "[fe80::1%eth0]:65535#scoped\n" ..
      "HOST.Example:4788 #\n" ..
      "local_host-1:4788 A1A1 A1A1 A1A1 A1A1 A1A1  A1A1 A1A1 A1A1 A1A1 A1A1 # as gpg prints it")
    assert.equal(0, (f:errors()))
    assert.same({
      "1 example.org:4788", "2 192.0.2.1:4788 " .. A, "3 2001:db8::1:1 " .. B .. " Bob at home # really",
      "4 fe80::1%eth0:65535  scoped", "5 host.example:4788", "6 local_host-1:4788 " .. A .. " as gpg prints it",
    }, lines(f))
  end)

  it("P1.4 writes back comments and blank lines, and contacts in one form", function()
    local text = "# my friends\n\n  # indented\nExample.org:4788   " .. A:lower() .. " #   Ann \n\t\n[2001:DB8::1]:1\n"
    assert.equal("# my friends\n\n  # indented\nexample.org:4788 " .. A .. " # Ann\n\t\n[2001:db8::1]:1\n",
      parse(text):print())
    local once = parse(text):print()
    assert.equal(once, parse(once):print())
  end)

  it("P1.4 takes CRLF, a BOM, a last line without newline, and an empty file", function()
    local f = parse("\xef\xbb\xbfexample.org:1 # n\r\n\r\nexample.net:2\r\n# c\r\nexample.com:3")
    assert.equal(0, (f:errors()))
    assert.same({ "1 example.org:1  n", "3 example.net:2", "5 example.com:3" }, lines(f))
    assert.equal("example.org:1 # n\n\nexample.net:2\n# c\nexample.com:3\n", f:print())
    for _, text in ipairs { "", "\n", "\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n", "   ", "#" } do
      f = parse(text)
      assert.equal(0, (f:errors()))
      assert.same({}, f:contacts())
    end
  end)

  it("P1.4 takes a BOM before any line, as joined files have it, and what it prints has none", function()
    local bom = "\xef\xbb\xbf"
    local f = parse(bom .. bom .. "example.org:1 " .. A .. "\r\n" .. bom .. "# more\n" .. bom .. "example.net:2\n")
    assert.equal(0, (f:errors()))
    assert.same({ "1 example.org:1 " .. A, "3 example.net:2" }, lines(f))
    assert.equal(1, f:remove(A))
    assert.equal("# more\nexample.net:2\n", f:print())
    assert.equal(f:print(), parse(f:print()):print())
  end)

  it("P1.4 says what is wrong with a line", function()
    for line, text in pairs {
      ["example.org"] = "the port is missing", ["[2001:db8::1]"] = "the port is missing",
      ["example.org:"] = "the port is not a number", ["example.org:0"] = "the port is not a number",
      ["example.org:65536"] = "the port is not a number", ["example.org:+1"] = "the port is not a number",
      ["example.org:04788"] = "the port is not a number", ["example.org:4788x"] = "the port is not a number",
      ["example.org:99999999999999999999"] = "the port is not a number", ["[::1]:70000"] = "the port is not a number",
      [":4788"] = "the host is missing", ["[]:4788"] = "the host is missing",
      ["2001:db8::1:4788"] = "stands in brackets", ["::1:4788"] = "stands in brackets",
      ["[1.2.3.4]:4788"] = "no IPv6 address", ["[2001:db8::1:4788"] = "no IPv6 address",
      ["[example.org]:4788"] = "no IPv6 address", ["[fe80::1%]:4788"] = "no IPv6 address",
      ["[fe80::1%eth0/24]:4788"] = "no IPv6 address", ["[::1]x:4788"] = "no IPv6 address",
      ["[2001:db8::1%" .. ("e"):rep(16) .. "]:1"] = "no IPv6 address", ["[:4788"] = "no IPv6 address",
      ["1.2.3:4788"] = "no IPv4 address", ["1.2.3.256:4788"] = "no IPv4 address", ["4788:4788"] = "no IPv4 address",
      ["-a.org:4788"] = "no host name", ["a-.org:4788"] = "no host name", ["a..org:4788"] = "no host name",
      [".org:4788"] = "no host name", ["a.org.:4788"] = "no host name", ["a b:1"] = "the port is missing",
      ["ex\u{e4}mple.org:4788"] = "no host name", ["a/b:4788"] = "no host name", ["http://a.org:4788"] = "in brackets",
      [("a"):rep(64) .. ".org:1"] = "no host name", [("a."):rep(127) .. ":1"] = "longer than 253 bytes",
      ["a.org:1 " .. A:sub(2)] = "the fingerprint is not 40", ["a.org:1 " .. A .. "0"] = "the fingerprint is not 40",
      ["a.org:1 " .. A:sub(2) .. "G"] = "the fingerprint is not 40", ["a.org:1 0x" .. A] = "the fingerprint is not 40",
      ["a.org:1 " .. A .. " " .. B] = "the fingerprint is not 40", ["a.org:1 Bob"] = "the fingerprint is not 40",
      ["a.org:1 # \xff"] = "not UTF-8", ["a.org:1 # \xed\xa0\x80"] = "not UTF-8", ["a.org:1 # \xc3"] = "not UTF-8",
      ["# \xff"] = "not UTF-8", ["a.org:1\0"] = "a NUL byte", ["\0"] = "a NUL byte", ["# \0"] = "a NUL byte",
      ["a.org:1 # \27[2J"] = "a control character", ["a.org:1\r# x"] = "a control character",
      ["a.org:1 # \u{85}"] = "a control character", ["a\xef\xbb\xbf.org:1"] = "no host name",
      [("x"):rep(1025)] = "longer than 1024 bytes", ["# " .. ("x"):rep(1023)] = "longer than 1024 bytes",
      ["a.org:1 # " .. ("x"):rep(1000)] = "note is too long",
    } do
      assert.truthy(complaint(line):find(text, 1, true), line .. ": " .. complaint(line))
    end
  end)

  it("P1.4 the good lines count, whatever stands between them, and numbers stay right", function()
    local f = parse("a.org:1\nrubbish\n" .. ("x"):rep(5000) .. "\nb.org:2\n\0\xff\27\n\nc.org:3 nonsense\nd.org:4\n")
    assert.same({ "1 a.org:1", "4 b.org:2", "8 d.org:4" }, lines(f))
    local count, errors = f:errors()
    assert.equal(4, count)
    local numbers = {}
    for i, e in ipairs(errors) do numbers[i] = e.line end
    assert.same({ 2, 3, 5, 7 }, numbers)
    assert.equal("a.org:1\nrubbish\n\nb.org:2\n\n\nc.org:3 nonsense\nd.org:4\n", f:print())
  end)

  it("keeps a bounded number of complaints, and counts all", function()
    local f = parse(("rubbish\n"):rep(9000) .. "a.org:1\n")
    local count, errors = f:errors()
    assert.equal(9000, count)
    assert.equal(50, #errors)
    assert.same({ "9001 a.org:1" }, lines(f))
  end)

  it("is bounded in lines and bytes, and takes nothing over them", function()
    local f = parse(("a\n"):rep(9999) .. "b.org:1\n")
    assert.equal(1, #f:contacts())
    local none, code, text = f:parse("c.org:1\n")
    assert.is_nil(none)
    assert.equal("too_large", code)
    assert.truthy(text:find("10000 lines"))
    assert.equal(1, #f:contacts())
    none, code = C.new():parse(("\n"):rep(10001))
    assert.is_nil(none)
    assert.equal("too_large", code)
    local line = "# " .. ("x"):rep(1021) .. "\n"
    none, code, text = C.new():parse(line:rep(1024) .. "\n")
    assert.equal("too_large", code)
    assert.is_nil(none)
    assert.truthy(text:find("1048576 bytes"))
    assert.is_true(C.new():parse(line:rep(1024)))
    assert.is_true(C.new():parse("a.org:1 # " .. ("x"):rep(955)))
  end)

  it("the same host and port twice counts once, the first", function()
    local f = parse("a.org:1 # first\nA.ORG:1 " .. A .. " # second\na.org:2\n")
    assert.same({ "1 a.org:1  first", "3 a.org:2" }, lines(f))
    assert.equal("a.org:1 # first\na.org:1 " .. A .. " # second\na.org:2\n", f:print())
    local text = {}
    for i = 1, 5000 do text[i] = "a.org:" .. i % 2500 + 1 end
    assert.equal(2500, #parse(table.concat(text, "\n")):contacts())
  end)

  it("reads several texts one after the other", function()
    local f = parse("a.org:1")
    assert.is_true(f:parse("\xef\xbb\xbfb.org:2\nrubbish"))
    assert.same({ "1 a.org:1", "2 b.org:2" }, lines(f))
    local _, errors = f:errors()
    assert.equal(3, errors[1].line)
  end)

  describe("put", function()
    it("adds at the end", function()
      local f = parse("# friends\na.org:1\n")
      assert.is_true(f:put { host = "B.org", port = 2, fingerprint = A:lower(), note = "Bob" })
      assert.is_true(f:put { host = "2001:DB8::1", port = 3 })
      assert.equal("# friends\na.org:1\nb.org:2 " .. A .. " # Bob\n[2001:db8::1]:3\n", f:print())
      assert.same({ "2 a.org:1", "3 b.org:2 " .. A .. " Bob", "4 2001:db8::1:3" }, lines(f))
    end)

    it("changes what is there, and leaves what is not given", function()
      local f = parse("a.org:1 # Ann\n# end\n")
      assert.is_true(f:put { host = "A.org", port = 1, fingerprint = A })
      assert.equal("a.org:1 " .. A .. " # Ann\n# end\n", f:print())
      assert.is_true(f:put { host = "a.org", port = 1, note = "Ann B." })
      assert.equal("a.org:1 " .. A .. " # Ann B.\n# end\n", f:print())
    end)

    it("writes nothing that would not read back", function()
      local f = parse("a.org:1\n")
      for _, c in ipairs {
        { host = "", port = 1 }, { host = "a b", port = 1 }, { host = "a.org", port = 0 },
        { host = "x\nb.org", port = 1 }, { host = "1.2.3", port = 1 }, { host = "a#b", port = 1 },
        { host = "a.org", port = 1, fingerprint = "XYZ" }, { host = "a.org", port = 1, note = "x\nb.org:2" },
        { host = "a.org", port = 1, note = "\27[2J" }, { host = "a.org", port = 1, note = "\xff" },
        { host = "a.org", port = 1, note = ("x"):rep(2000) },
      } do
        local _, code = f:put(c)
        assert.equal("bad_params", code)
      end
      assert.equal("a.org:1\n", f:print())
    end)

    it("keeps a line within its bound also when it grows", function()
      local f = C.new()
      local note = ("n"):rep(800)
      local label = ("a"):rep(60)
      local host = label .. "." .. label .. "." .. label
      assert.truthy(f:parse(host .. ":1 # " .. ("n"):rep(770)))
      assert.is_true(f:put { host = host, port = 1, fingerprint = A })
      assert.equal(1, #parse(f:print()):contacts())
      local _, code = f:put { host = host, port = 1, note = note }
      assert.equal("bad_params", code)
      assert.equal(1, #parse(f:print()):contacts())
    end)

    it("is bounded", function()
      local f = parse(("\n"):rep(10000))
      local _, code = f:put { host = "a.org", port = 1 }
      assert.equal("too_large", code)
    end)
  end)

  it("removes all lines of a fingerprint", function()
    local f = parse("a.org:1 " .. A .. "\n# c\nb.org:2 " .. B .. "\nc.org:3\nd.org:4 " .. A .. "\na.org:1 # again\n")
    assert.equal(2, f:remove(A))
    assert.equal("# c\nb.org:2 " .. B .. "\nc.org:3\na.org:1 # again\n", f:print())
    assert.same({ "2 b.org:2 " .. B, "3 c.org:3", "4 a.org:1  again" }, lines(f))
    assert.equal(0, f:remove(A))
    assert.equal(0, f:remove(""))
  end)

  it("says when there is no room to print", function()
    local f = parse("a.org:1 " .. A .. " # note\n# comment\n")
    local whole = f:print()
    assert.equal(whole, f:print(#whole))
    for cap = 1, #whole - 1 do
      local none, code = f:print(cap)
      assert.is_nil(none)
      assert.equal("too_large", code)
    end
  end)

  it("P1.4 serves peers.probe with addresses", function()
    assert.same({ "example.org", 4788 }, { C.address("Example.ORG:4788") })
    assert.same({ "2001:db8::1", 1 }, { C.address("[2001:DB8::1]:1") })
    assert.same({ "127.0.0.1", 65535 }, { C.address("127.0.0.1:65535") })
    for _, text in ipairs { "", "x", ":", "::", "a:b:c", "[", "]", "[]", "[]:", "]:1", "a:1 ", " a:1", "[:",
      ("x"):rep(3000), ("x"):rep(3000) .. ":1" } do
      local none, code = C.address(text)
      assert.is_nil(none, text)
      assert.equal("bad_params", code)
    end
  end)

  it("survives whatever bytes there are", function()
    local seed = 1
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed // 65536 % n
    end
    local alphabet = { "a", ".", ":", "1", "[", "]", "%", "#", " ", "\t", "\n", "\r", "\0", "\xff", "\u{e9}", A, "-" }
    for _ = 1, 3000 do
      local t = {}
      for i = 1, random(40) do t[i] = alphabet[1 + random(#alphabet)] end
      local f = parse(table.concat(t))
      local again = parse(f:print())
      local before, after = {}, {}
      for i, c in ipairs(f:contacts()) do before[i] = c.host .. c.port .. c.fingerprint .. c.note end
      for i, c in ipairs(again:contacts()) do after[i] = c.host .. c.port .. c.fingerprint .. c.note end
      assert.same(before, after)
    end
  end)
end)
