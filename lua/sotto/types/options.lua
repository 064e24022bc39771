-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.options

--- What config.lua may say of the engine's numbers: what sotto.engine has as `options`, without an engine.
---@type { name: string, standard: integer, least: integer, most: integer, text: string }[]
local options = {}

return options
