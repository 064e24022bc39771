local fixture = require "store.fixture"

describe("settings", function()
  local f, s
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  it("keeps values over a restart", function()
    assert(s:setting_put("a", "one\0two"))
    assert(s:setting_put("b", ""))
    assert(s:setting_put("a", "three"))
    s = f.reopen()
    assert.equal("three", s:setting_get("a"))
    assert.equal("", s:setting_get("b"))
    assert.equal("not_found", select(2, s:setting_get("c")))
  end)

  it("works while locked", function()
    s:lock()
    assert(s:setting_put("a", "one"))
    assert.equal("one", s:setting_get("a"))
  end)

  it("reads integers, and says what is none", function()
    for _, n in ipairs { 0, -1, 4788, math.maxinteger, math.mininteger } do
      assert(s:setting_put("n", n))
      assert.equal(n, s:setting_get_int("n"))
    end
    for _, text in ipairs { "", "4788x", "x", "9223372036854775808", ("1"):rep(40), "1\0" } do
      assert(s:setting_put("n", text))
      assert.equal("bad_input", select(2, s:setting_get_int("n")))
    end
    assert.equal("not_found", select(2, s:setting_get_int("m")))
  end)

  it("has limits: key, value, the reader's buffer, rows", function()
    assert(s:setting_put(("k"):rep(128), "x"))
    assert.equal("bad_params", select(2, s:setting_put(("k"):rep(129), "x")))
    assert.equal("bad_params", select(2, s:setting_put("", "x")))
    assert(s:setting_put("big", ("x"):rep(65536)))
    assert.equal("too_large", select(2, s:setting_put("big", ("x"):rep(65537))))
    assert.equal("too_large", select(2, s:setting_get("big", 65535)))
    assert(s:begin())
    for i = 3, 4096 do assert(s:setting_put("n" .. i, "x")) end
    assert.equal("too_large", select(2, s:setting_put("one more", "x")))
    assert(s:setting_put("n4096", "y"))
    assert(s:commit())
    assert.equal("y", s:setting_get("n4096"))
  end)
end)
