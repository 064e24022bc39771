-- SPDX-License-Identifier: GPL-3.0-or-later
local rss = assert(loadfile(world.path .. "/rss.lua"))()

describe("a feed", function()
  it("is read as RSS", function()
    local found = rss.parse [==[<?xml version="1.0"?><rss version="2.0"><channel>
      <title>News &amp; more</title><link>https://example.org</link>
      <item><title><![CDATA[Second <b>thing</b>]]></title><link>https://example.org/2</link><guid>2</guid></item>
      <!-- <item><title>hidden</title></item> -->
      <item><title>First&#33; &#x1F642;</title><link>https://example.org/1?a=b&amp;c</link></item>
      </channel></rss>]==]
    assert.equal("News & more", found.title)
    assert.same({
      { id = "2", title = "Second thing", link = "https://example.org/2" },
      { id = "https://example.org/1?a=b&c", title = "First! 🙂", link = "https://example.org/1?a=b&c" },
    }, found.entries)
  end)

  it("is read as Atom", function()
    local found = rss.parse [[<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Notes</title>
      <entry><title>One</title><link rel="self" href="/x"/><link href='https://example.org/one'/><id>urn:1</id></entry>
      <entry><summary>no title</summary><id>urn:2</id></entry></feed>]]
    assert.equal("Notes", found.title)
    assert.same({ id = "urn:1", title = "One", link = "https://example.org/one" }, found.entries[1])
    assert.equal("no title", found.entries[2].title)
  end)

  it("is nothing else, and what is broken ends", function()
    assert.falsy(rss.parse "<html><body>no feed</body></html>")
    assert.falsy(rss.parse "")
    assert.same({}, rss.parse("<rss><channel><item><title>x").entries)
    assert.same({}, rss.parse("<rss><channel><item></item>").entries)
    assert.equal(100, #rss.parse("<rss>" .. ("<item><guid>1</guid></item>"):rep(500)).entries)
    local long = rss.parse("<rss><item><title>" .. ("ä"):rep(5000) .. "</title></item>").entries[1].title
    assert.equal(300, utf8.len(long))
    assert.truthy(utf8.len(rss.parse("<rss><item><title>\xff\xfe</title></item>").entries[1].title))
    rss.parse("<rss>" .. ("<item"):rep(20000) .. ("<"):rep(20000))
  end)
end)

describe("feed", function()
  it("is its owner's alone, and says what it cannot fetch", function()
    local ada = person "ada"
    assert.equal("Not for you: !feed", ada:asks "!feed https://example.org")
    assert.equal("None.", ada:asks "!feeds")
    you:call("messages.send", { discussion = ada.discussion, text = "!feed http://127.0.0.1:9/x" })
    ada:hears()
    assert.matches("^http://127.0.0.1:9/x: ", ada:hears())
    assert.equal("There is none of that number.", command("unfeed", "1"))
  end)
end)
