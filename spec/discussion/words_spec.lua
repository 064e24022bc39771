local pake = require "support.pake"
local words = require "support.words"

local function list()
  local out = {}
  for i = 1, words.count() do out[i] = words.at(i) end
  return out
end

-- twelve numbers of eleven bits, and 124 bits of rest, as 32 bytes
local function hash(numbers)
  local bits = {}
  for _, n in ipairs(numbers) do
    for i = 10, 0, -1 do bits[#bits + 1] = n >> i & 1 end
  end
  local bytes = {}
  for i = 1, 256, 8 do
    local b = 0
    for k = 0, 7 do b = b << 1 | (bits[i + k] or 0) end
    bytes[#bytes + 1] = string.char(b)
  end
  return table.concat(bytes)
end

describe("words", function()
  it("P2.8 P5.10 the list has 2048 words that can be told apart", function()
    local all, seen, beginnings = list(), {}, {}
    assert.equal(2048, #all)
    for _, word in ipairs(all) do
      assert.truthy(word:find("^%l+$"), word)
      assert.is_true(#word >= 3 and #word <= 7, word)
      assert.is_nil(seen[word], word)
      seen[word] = true
      local beginning = word:sub(1, 4)
      assert.is_nil(beginnings[beginning], word)
      beginnings[beginning] = true
    end
    for _, word in ipairs(all) do
      for n = 3, #word - 1 do assert.is_nil(seen[word:sub(1, n)], word) end
    end
  end)

  it("P5.10 the list does not change", function()
    local all = list()
    local sorted = { table.unpack(all) }
    table.sort(sorted)
    assert.same(sorted, all)
    assert.equal("abacus", all[1])
    assert.equal("zoom", all[2048])
    local sum = 0
    for i, word in ipairs(all) do
      for k = 1, #word do sum = (sum * 31 + word:byte(k) + i) % 2147483647 end
    end
    assert.equal(484148012, sum)
  end)

  it("P5.10 twelve words of a hash, eleven bits each", function()
    assert.equal(("abacus "):rep(12):sub(1, -2), words.of_hash(("\0"):rep(32)))
    assert.equal(("zoom "):rep(12):sub(1, -2), words.of_hash(("\xff"):rep(32)))
    local numbers, expected = { 0, 1, 2, 3, 1024, 1023, 2047, 1000, 55, 511, 1536, 7 }, {}
    for i, n in ipairs(numbers) do expected[i] = words.at(n + 1) end
    assert.equal(table.concat(expected, " "), words.of_hash(hash(numbers)))
  end)

  it("P5.10 depends on the first 132 bits and nothing else", function()
    local zero = words.of_hash(("\0"):rep(32))
    assert.not_equal(zero, words.of_hash(("\0"):rep(16) .. "\x10" .. ("\0"):rep(15)))
    assert.equal(zero, words.of_hash(("\0"):rep(16) .. "\x0f" .. ("\xff"):rep(15)))
  end)

  it("P2.8 makes passwords of four to sixteen words", function()
    local known = {}
    for _, word in ipairs(list()) do known[word] = true end
    for count = 4, 16 do
      local n = 0
      for word in words.password(count, count):gmatch("%S+") do
        assert.is_true(known[word])
        n = n + 1
      end
      assert.equal(count, n)
      assert.falsy(words.password(count, count):find("  ", 1, true))
      assert.equal(words.password(count, count), pake.prepare(words.password(count, count)))
      assert.falsy(words.password(count, count):find("^ ") or words.password(count, count):find(" $"))
    end
    for _, count in ipairs { 0, 1, 3, 17, 1000 } do
      local none, code = words.password(count)
      assert.is_nil(none)
      assert.equal("bad_params", code)
    end
  end)

  it("P2.8 the source decides, and every word is as likely as any other", function()
    assert.equal(words.password(6, 1), words.password(6, 1))
    assert.not_equal(words.password(6, 1), words.password(6, 2))
    local count, total = {}, 0
    for seed = 1, 8192 do
      for word in words.password(16, seed):gmatch("%S+") do
        count[word] = (count[word] or 0) + 1
        total = total + 1
      end
    end
    local expected, chi = total / 2048, 0
    for _, word in ipairs(list()) do chi = chi + ((count[word] or 0) - expected) ^ 2 / expected end
    -- 2047 degrees of freedom: mean 2047, standard deviation 64; the seeds are fixed
    assert.is_true(chi > 2047 - 5 * 64 and chi < 2047 + 5 * 64, "chi square " .. chi)
  end)
end)
