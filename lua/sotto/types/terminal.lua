-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.terminal

--- Line editing with readline on the loop, lines printed above what is being typed, passwords without echo, and foreign text made
--- harmless. For the front end alone. The terminal is standard input and output; it is taken as UTF-8.
---@class sotto.terminal
local terminal = {}

---@class sotto.terminal.options
---@field line fun(text: string|nil) a line was entered (pasted ones may have several lines); nil: Ctrl-D
---@field interrupt? fun(had: boolean) Ctrl-C; had: something that was typed, or a question, was thrown away
---@field complete? fun(word: string, line: string, from: integer, to: integer): string[] what Tab offers for the word

--- Takes the terminal: from now to stop nothing that is typed is echoed by the system.
---@param options sotto.terminal.options
function terminal.start(options) end
function terminal.stop() end

--- Leaves what is typed with the system, until resume. A password that is asked meanwhile is read all the same.
function terminal.pause() end
function terminal.resume() end

---@param text string
function terminal.prompt(text) end

--- Prints on lines of their own above what is being typed or asked, which stays.
---@param text string harmless already
function terminal.print(text) end

--- Asks without echo; nil where the person gave up. One question at a time, else "busy".
---@param prompt string
---@param answer fun(secret: sotto.secret|nil)
---@return boolean|nil ok, string? message, string? name
function terminal.read_secret(prompt, answer) end

--- While Lua is at work nobody reads keys: from now on Ctrl-C only sets a flag, which a hook can look at.
---@param on boolean false: a key again, and the flag is forgotten
function terminal.allow_break(on) end
---@return boolean
function terminal.was_broken() end

--- As Ctrl-C.
---@return boolean had
function terminal.interrupt() end
---@return boolean something is typed and not entered yet
function terminal.typed() end
--- The window has another size.
function terminal.resized() end
---@return integer columns, integer rows
function terminal.size() end

--- Adds to what the arrow keys bring back.
---@param line string
function terminal.remember(line) end
---@return string[]
function terminal.history() end

--- Characters that steer a terminal or hide (Cc Cf Cn Co Cs Zl Zp) become "<U+200E>", bytes that are no UTF-8 "<80>".
---@param text string
---@param lines? boolean a newline stays, and a tab becomes four spaces
---@return string
function terminal.escape(text, lines) end

--- The same inside JSON text, as "\u200e": it means what it meant.
---@param text string
---@return string
function terminal.escape_json(text) end

--- Columns that a harmless text takes.
---@param text string
---@return integer
function terminal.width(text) end

return terminal
