-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a check has found: a line that says how it is, and where something is to be done, a line that says what.
local M = {}

---@param text string
---@return sotto.finding without its check's name, which the runner adds
function M.ok(text) return { status = "ok", text = text, advice = "" } end

--- Works, but not as it should, or not for long.
---@param text string
---@param advice string
function M.warn(text, advice) return { status = "warn", text = text, advice = advice } end

--- Broken.
---@param text string
---@param advice string
function M.fail(text, advice) return { status = "fail", text = text, advice = advice } end

---@param text string why it was not looked at
---@param advice? string
function M.skip(text, advice) return { status = "skip", text = text, advice = advice or "" } end

-- --- words that several checks use -------------------------------------------------------------------------

--- An error's text as a sentence: "cannot write" → "Cannot write."
---@param message string
---@return string
function M.sentence(message) return message:sub(1, 1):upper() .. message:sub(2) .. "." end

--- "1 thing is broken", "2 things are broken"
---@param count integer
---@param one string
---@param many string
---@return string
function M.count(count, one, many) return ("%d %s"):format(count, count == 1 and one or many) end

local UNITS = { { 1 << 40, "TB" }, { 1 << 30, "GB" }, { 1 << 20, "MB" }, { 1 << 10, "kB" } }

--- "3.5 MB"
---@param bytes integer
---@return string
function M.size(bytes)
  for _, unit in ipairs(UNITS) do
    if bytes >= unit[1] then
      local count = bytes / unit[1]
      return (count < 10 and "%.1f %s" or "%.0f %s"):format(count, unit[2])
    end
  end
  return ("%d bytes"):format(bytes)
end

local SPANS = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } }

--- "5 minutes"
---@param seconds number
---@return string
function M.span(seconds)
  for _, span in ipairs(SPANS) do
    if seconds >= span[1] then
      return M.count(math.floor(seconds / span[1] + 0.5), span[2], span[2] .. "s")
    end
  end
  return M.count(math.floor(seconds), "second", "seconds")
end

return M
