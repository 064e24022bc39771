local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done = gnupg.done

describe("inner", function()
  local directory, rig, messages

  -- sealed and opened by real gpg: short, and long enough for a literal and a SEIPD packet in parts
  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    local own = done(rig:make_discussion {})
    messages = {}
    for i, text in ipairs { "hello", "", ("0123456789"):rep(5000) } do
      local to = { own.info.encryption }
      local sealed = done(rig:seal { home = own.home, text = text, to = to }).output
      local opened = done(rig:open { home = own.home, message = sealed, to = to, signer = own.info.primary.fingerprint })
      messages[i] = { sealed = sealed, key = opened.session_key, text = text }
    end
  end)

  teardown(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  local function refuses(message, key, text, pattern)
    local ok, code, why = openpgp.inner(message, key, text)
    assert.is_nil(ok)
    assert.are.equal("bad_input", code)
    if pattern then assert.truthy(why:find(pattern, 1, true), why) end
  end

  it("P3.1 finds the one signed text in what gpg has sealed", function()
    for _, m in ipairs(messages) do assert.is_true(openpgp.inner(m.sealed, m.key, m.text)) end
    local kinds = gnupg.packets(messages[3].sealed)
    assert.is_true(#kinds[2].raw > #kinds[2].body + 6) -- it was in parts
  end)

  it("P3.4 refuses a plaintext that is not exactly the literal's", function()
    for _, m in ipairs(messages) do
      for _, text in ipairs { m.text .. "x", "x" .. m.text, m.text .. "\0" } do
        refuses(m.sealed, m.key, text, "not what gpg says")
      end
    end
    refuses(messages[1].sealed, messages[1].key, "hellO", "not what gpg says")
    refuses(messages[1].sealed, messages[1].key, "hell", "not what gpg says")
    refuses(messages[3].sealed, messages[3].key, messages[3].text:sub(2), "not what gpg says")
  end)

  it("P3.1 refuses other session keys, and texts that are none", function()
    local m = messages[1]
    refuses(m.sealed, messages[2].key, m.text)
    for _, key in ipairs {
      "", "9:", m.key:sub(1, -2), m.key .. "0", "7:" .. m.key:sub(3), "9:" .. ("G"):rep(64), m.key:sub(3), " " .. m.key:sub(2),
    } do
      refuses(m.sealed, key, m.text, "AES-256")
    end
  end)

  it("P3.1 refuses an encrypted packet that is empty", function()
    local m = messages[1]
    local pkesk = gnupg.packets(m.sealed)[1].raw
    refuses(pkesk .. gnupg.packet(18, ""), m.key, m.text, "no encrypted data")
    refuses(pkesk .. gnupg.packet(18, "\1"), m.key, m.text)
  end)

  it("P3.4 refuses a changed byte in any packet's head", function()
    local m = messages[1]
    local head = #m.sealed - #gnupg.packets(m.sealed)[2].body
    -- behind version and prefix: one-pass signature, literal with its date in positions 18 to 21, the text
    for at = head + 1 + 18 + 1, head + 1 + 18 + 2 + 2 do
      local bytes = m.sealed:sub(1, at - 1) .. string.char(m.sealed:byte(at) ~ 0x55) .. m.sealed:sub(at + 1)
      refuses(bytes, m.key, m.text)
    end
  end)

  it("P0.5 stands any changed byte and any cut", function()
    local m = messages[1]
    for at = 1, #m.sealed do
      for _, bit in ipairs { 1, 0x80, 0xff } do
        openpgp.inner(m.sealed:sub(1, at - 1) .. string.char(m.sealed:byte(at) ~ bit) .. m.sealed:sub(at + 1), m.key, m.text)
      end
      local ok = openpgp.inner(m.sealed:sub(1, at - 1), m.key, m.text)
      assert.is_nil(ok)
    end
    openpgp.inner("", m.key, "")
  end)
end)
