local E = require "support.endpoints"

local A = "AAAAAAAA11111111111111111111111111111111"
local B = "AAAAAAAA22222222222222222222222222222222"
local C = "CCCCCCCC33333333333333333333333333333333"

describe("find", function()
  local people = { { A, "Ann" }, { B, "Bob" }, { C, "Carl" } }

  it("P1.9 finds by full fingerprint in any case", function()
    assert.equal(1, E.find(A, people))
    assert.equal(3, E.find(C:lower(), people))
    assert.equal(2, E.find("aAaAaAaA2", people))
  end)

  it("P1.9 takes a unique prefix of at least eight digits", function()
    assert.equal(3, E.find("CCCCCCCC", people))
    local _, code = E.find("CCCCCCC", people) -- a name, and nobody's
    assert.equal("not_found", code)
    _, code = E.find("CCCCCCCC4", people)
    assert.equal("not_found", code)
    _, code = E.find(C .. "0", people)
    assert.equal("bad_params", code)
  end)

  it("P1.9 lists the candidates of an ambiguous prefix", function()
    local none, code, text = E.find("AAAAAAAA", people)
    assert.is_nil(none)
    assert.equal("ambiguous", code)
    assert.truthy(text:find(A, 1, true))
    assert.truthy(text:find(B, 1, true))
    assert.falsy(text:find(C, 1, true))
  end)

  it("P1.9 finds by name, whatever its case, width or composition", function()
    assert.equal(1, E.find("ann", people))
    assert.equal(2, E.find("BOB", people))
    assert.equal(2, E.find("Bo\u{200b}b", people)) -- zero width space
    assert.equal(2, E.find("\u{ff22}\u{ff4f}\u{ff42}", people)) -- full width
    assert.equal(1, E.find("Jose\u{301}", { { A, "JOS\u{c9}" } }))
    assert.equal(1, E.find("strasse", { { A, "Stra\u{df}e" } }))
    assert.equal(1, E.find("e\u{fb03}cient", { { A, "Efficient" } }))
  end)

  it("P1.9 look-alike names are ambiguous, never a guess", function()
    for _, twin in ipairs { "bob", "BOB", "B\u{ad}ob", "\u{ff42}ob", "Bob\u{200d}" } do
      local none, code, text = E.find("Bob", { { A, "Bob" }, { B, twin } })
      assert.is_nil(none)
      assert.equal("ambiguous", code, twin)
      assert.truthy(text:find(A, 1, true) and text:find(B, 1, true))
    end
  end)

  it("P1.9 nobody can name himself like another's fingerprint", function()
    local impostor = { { B, "CCCCCCCC" }, { C, "Carl" } }
    assert.equal(2, E.find("CCCCCCCC", impostor))
    local none, code = E.find("CCCCCCCC", { { B, "CCCCCCCC" } }) -- Carl is away
    assert.is_nil(none)
    assert.equal("not_found", code)
    none, code = E.find("cccccccc", { { B, "cccccccc" } })
    assert.is_nil(none)
    assert.equal("not_found", code)
  end)

  it("says how many more there are where the list is too long for an error", function()
    local many = {}
    for i = 1, 500 do many[i] = { ("%040X"):format(i), "Bob" } end
    local _, code, text = E.find("bob", many)
    assert.equal("ambiguous", code)
    assert.truthy(text:find("^500 peers have this name: "))
    assert.truthy(text:find("and 496 more$"))
    assert.is_true(#text < 256)
  end)

  it("names that are missing, empty or not UTF-8 match nothing", function()
    local odd = { { A }, { B, "" }, { C, "\xff\xfe" } }
    for _, text in ipairs { "x", "nil" } do
      local _, code = E.find(text, odd)
      assert.equal("not_found", code)
    end
    assert.is_false(E.same_name("\xff", "\xff"))
    assert.is_true(E.same_name("A", "a"))
  end)

  it("refuses texts that can name nobody", function()
    for _, text in ipairs { "", "\u{200b}", "\xff", ("x"):rep(201) } do
      local none, code = E.find(text, people)
      assert.is_nil(none)
      assert.equal("bad_params", code)
    end
    local _, code, text = E.find(("x"):rep(200), people)
    assert.equal("not_found", code)
    assert.is_true(#text < 256)
  end)

  it("serves identities of other lengths", function()
    local id = ("ab"):rep(16)
    assert.equal(1, E.find(id:upper(), { { id } }, "discussion", 32))
    local _, _, text = E.find(("12"):rep(16), { { id } }, "discussion", 32)
    assert.truthy(text:find("no discussion begins with"))
  end)
end)
