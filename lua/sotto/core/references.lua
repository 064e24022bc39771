-- SPDX-License-Identifier: GPL-3.0-or-later
-- Parameters of the API table that several nouns have: whom and what a call is about.
local M = {}

---@type sotto.api.param
M.peer = { name = "peer", type = "peer", required = true, text = "fingerprint, 8 digits or more of it, or name" }

---@type sotto.api.param
M.discussion = {
  name = "discussion", type = "discussion", required = true,
  text = "id, 8 digits or more of it, or the name of a member",
}

return M
