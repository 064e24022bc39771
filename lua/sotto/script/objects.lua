-- SPDX-License-Identifier: GPL-3.0-or-later
-- What objects of events can do besides holding their fields: message:reply, discussion:send.
local M = {}

---@class sotto.script.objects
---@field wrap fun(noun: string, object: table): table gives the object its methods

--- @param nouns table<string, table<string, function>> from sotto.script.calls
---@return sotto.script.objects
function M.new(nouns)
  local message, discussion = {}, {}

  --- Answers in the discussion that the message came in.
  ---@param text string
  function message:reply(text) return nouns.messages.send { discussion = self.discussion, text = text } end

  --- Sends into the discussion.
  ---@param text string
  function discussion:send(text) return nouns.messages.send { discussion = self.id, text = text } end

  local metas = { message = { __index = message }, discussion = { __index = discussion } }
  return {
    wrap = function(noun, object)
      if noun == "messages" then
        for _, one in ipairs(object) do setmetatable(one, metas.message) end
        return object
      end
      return metas[noun] and setmetatable(object, metas[noun]) or object
    end,
  }
end

return M
