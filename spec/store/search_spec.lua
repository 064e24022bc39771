local fixture = require "store.fixture"

describe("search", function()
  local f, s
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  local function insert(n, text, t)
    local m = fixture.message(n, t)
    m.text = text
    assert(s:message_insert(m))
  end

  local function find(query, discussion)
    local search = assert(s:search(query, discussion))
    local hits, done = assert(search:slice(1000, 1000))
    assert.is_true(done)
    search:free()
    local list = {}
    for i, m in ipairs(hits) do list[i] = m.text end
    return list
  end

  it("finds anywhere in a text, newest first, in one discussion or in all", function()
    insert(1, "the first word")
    insert(2, "second")
    insert(3, "another word", { discussion = fixture.id(2) })
    insert(4, "wordless")
    assert.same({ "wordless", "another word", "the first word" }, find "word")
    assert.same({ "wordless", "the first word" }, find("word", fixture.id(1)))
    assert.same({ "another word" }, find("word", fixture.id(2)))
    assert.same({ "second" }, find "con")
    assert.same({}, find "absent")
    assert.same({}, find "the second")
  end)

  it("ignores case as Unicode folds it, and how accents are composed", function()
    local texts = {
      "STRASSE", "straße", "ΟΔΥΣΣΕΥΣ", "Οδυσσεύς", "I\u{0307}stanbul", "cafe\u{0301}", "CAFÉ", "ПРИВЕТ мир", "ﬁne",
    }
    for n, text in ipairs(texts) do insert(n, text) end
    assert.same({ "straße", "STRASSE" }, find "Strasse")
    assert.same({ "straße", "STRASSE" }, find "straSSE")
    assert.same({ "straße", "STRASSE" }, find "ß")
    assert.same({ "ΟΔΥΣΣΕΥΣ" }, find "οδυσσευς")
    assert.same({ "Οδυσσεύς" }, find "ΟΔΥΣΣΕΎΣ")
    assert.same({ "CAFÉ", "cafe\u{0301}" }, find "café")
    assert.same({ "CAFÉ", "cafe\u{0301}" }, find "CAFE\u{0301}")
    assert.same({}, find "cafe")
    assert.same({ "ПРИВЕТ мир" }, find "привет МИР")
    assert.same({ "ﬁne" }, find "FINE")
    assert.same({ "I\u{0307}stanbul" }, find "İSTANBUL")
  end)

  it("takes the query literally", function()
    insert(1, "100% (a|b)* _x_")
    insert(2, "100 a x")
    assert.same({ "100% (a|b)* _x_" }, find "0%")
    assert.same({ "100% (a|b)* _x_" }, find "(a|b)*")
    assert.same({ "100% (a|b)* _x_" }, find "_X_")
  end)

  it("passes over a text that is not UTF-8", function()
    insert(1, "word \xff\xfe")
    insert(2, "word")
    assert.same({ "word" }, find "word")
  end)

  it("takes the longest texts and the widest folds", function()
    -- one of the code points that fold to three
    local wide = ("\u{0390}"):rep(32768)
    insert(1, wide)
    insert(2, ("Y"):rep(65535) .. "z")
    assert.same({ wide }, find(("\u{0390}"):rep(512)))
    assert.same({ ("Y"):rep(65535) .. "z" }, find "yyyZ")
  end)

  it("goes in slices of rows, each message once", function()
    assert(s:begin())
    for n = 1, 100 do insert(n, "number " .. n, { discussion = fixture.id(n % 2 + 1) }) end
    assert(s:commit())
    for _, where in ipairs { { nil, 100 }, { fixture.id(1), 50 } } do
      local search = assert(s:search("number", where[1]))
      local seen, slices, done = {}, 0, false
      while not done do
        local hits
        hits, done = assert(search:slice(7, 1000))
        slices = slices + 1
        assert.is_true(#hits <= 7)
        for _, m in ipairs(hits) do
          assert.is_nil(seen[m.id])
          seen[m.id] = true
          seen[#seen + 1] = m.id
        end
      end
      search:free()
      assert.equal(where[2], #seen)
      assert.equal(where[2] // 7 + 1, slices)
    end
  end)

  it("stops at the limit, or when the visitor has enough, and goes on behind the last hit", function()
    for n = 1, 10 do insert(n, n % 2 == 0 and "hit " .. n or "miss") end
    local search = assert(s:search("hit"))
    local hits, done = search:slice(1000, 2)
    assert.same({ "hit 10", "hit 8", false }, { hits[1].text, hits[2].text, done })
    local seen = {}
    done = select(2, search:slice(1000, 1000, function(m)
      seen[#seen + 1] = m.text
      return false
    end))
    assert.same({ "hit 6", false }, { seen[1], done })
    -- what comes in between is not found
    insert(11, "hit 11")
    hits, done = search:slice(1000, 1000)
    assert.same({ "hit 4", "hit 2", true }, { hits[1].text, hits[2].text, done })
    assert.equal(2, #hits)
    hits, done = search:slice(1000, 1000)
    assert.same({ {}, true }, { hits, done })
    search:free()
  end)

  it("refuses queries and slices that are none", function()
    assert.equal("bad_params", select(2, s:search("")))
    assert.equal("bad_params", select(2, s:search(("q"):rep(1025))))
    assert.equal("bad_params", select(2, s:search("a\xff")))
    assert.equal("not_found", select(2, s:search("a", fixture.id(9))))
    assert.equal("bad_params", select(2, s:search("a", "b")))
    local search = assert(s:search(("q"):rep(1024)))
    assert.equal("bad_params", select(2, search:slice(0, 1)))
    assert.equal("bad_params", select(2, search:slice(1, 0)))
    assert.same({}, (search:slice(1, 1)))
    search:free()
  end)
end)
