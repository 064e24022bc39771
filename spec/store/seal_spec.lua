local tools = require "support.store_tools"

describe("seal", function()
  local key = ("k"):rep(32)
  local place = { "messages", "body", "aa", "bb" }

  it("P4.4 opens what it closed, with 40 bytes on top", function()
    for _, text in ipairs { "", "x", ("long "):rep(10000) } do
      local sealed = tools.seal(key, place, text)
      assert.equal(#text + 40, #sealed)
      assert.equal(text, tools.unseal(key, place, sealed))
    end
  end)

  it("P4.4 takes a new nonce each time", function()
    local seen = {}
    for _ = 1, 200 do
      local nonce = tools.seal(key, place, "same"):sub(1, 24)
      assert.is_nil(seen[nonce])
      seen[nonce] = true
    end
  end)

  it("P4.4 refuses another key, and any changed, added or missing byte", function()
    local sealed = tools.seal(key, place, "a text")
    local _, code, text = tools.unseal(("j"):rep(32), place, sealed)
    assert.equal("crypto", code)
    assert.truthy(text:find("messages.body", 1, true))
    assert.truthy(text:find("row aa bb", 1, true))
    for i = 1, #sealed do
      local broken = sealed:sub(1, i - 1) .. string.char(sealed:byte(i) ~ 1) .. sealed:sub(i + 1)
      assert.equal("crypto", select(2, tools.unseal(key, place, broken)))
    end
    for len = 0, #sealed - 1 do
      assert.equal("crypto", select(2, tools.unseal(key, place, sealed:sub(1, len))))
    end
    assert.equal("crypto", select(2, tools.unseal(key, place, sealed .. "\0")))
  end)

  it("P4.4 ties a value to table, column and each part of the row", function()
    local sealed = tools.seal(key, place, "a text")
    for _, other in ipairs {
      { "payloads", "body", "aa", "bb" }, { "messages", "text", "aa", "bb" }, { "messages", "body", "ab", "bb" },
      { "messages", "body", "aa" }, { "messages", "body", "aa", "bb", "" }, { "messages", "body", "bb", "aa" },
      { "messages", "body", "aab", "b" }, { "messagesb", "ody", "aa", "bb" },
    } do
      assert.equal("crypto", select(2, tools.unseal(key, other, sealed)))
    end
  end)

  it("P4.4 says what is over its limit", function()
    local sealed = tools.seal(key, place, "12345")
    assert.equal("12345", tools.unseal(key, place, sealed, 5))
    assert.equal("too_large", select(2, tools.unseal(key, place, sealed, 4)))
  end)
end)
