-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.terminal

--- Line editing with readline on the loop, lines printed above what is being typed, passwords without echo, and foreign text made
--- harmless. For the front end alone. The terminal is standard input and output; it is taken as UTF-8.
---@class sotto.terminal
local terminal = {}

---@class sotto.terminal.options
---@field line fun(text: string|nil, taken_off: boolean) a line was entered (it may have several lines); nil: Ctrl-D. taken_off: it
---  is not on the screen any more, and whoever takes it shows it
---@field interrupt? fun(had: boolean) Ctrl-C; had: something that was typed, or a question, was thrown away
---@field complete? fun(word: string, line: string, from: integer, to: integer): string[], boolean? what Tab offers for the word;
---  true: more is to follow, so no space behind it
---@field choices? fun(words: string[]) shows what there is to choose from; standard: readline's list

--- Takes the terminal: from now to stop nothing that is typed is echoed by the system.
---@param options sotto.terminal.options
function terminal.start(options) end
function terminal.stop() end

--- Leaves what is typed with the system, until resume. A password that is asked meanwhile is read all the same.
function terminal.pause() end
function terminal.resume() end

--- What stands before the line; while a search has put something else there, it waits. What takes no columns stands between \1 and \2.
---@param text string
function terminal.prompt(text) end

--- Asks without echo; nil where the person gave up. One question at a time, else "busy".
---@param prompt string
---@param answer fun(secret: sotto.secret|nil)
---@return boolean|nil ok, string? message, string? name
function terminal.read_secret(prompt, answer) end

--- Lends the terminal to another program, which writes and reads there itself: until take_back no key is read, and nothing is written;
--- what is printed meanwhile is kept for then. It has the modes that a shell gives, but neither echo nor signals of keys. "busy"
--- while a password is asked.
---@return boolean|nil ok, string? message, string? name
function terminal.lend() end
function terminal.take_back() end

--- While Lua is at work nobody reads keys: from now on Ctrl-C only sets a flag, which a hook can look at.
---@param on boolean false: a key again, and the flag is forgotten
function terminal.allow_break(on) end
---@return boolean
function terminal.was_broken() end

-- --- what stands above the line --------------------------------------------------------------------------------

--- Prints on lines of their own above what is being typed or asked, which stays.
---@param text string harmless already
function terminal.print(text) end

--- Puts the text in place of the last rows above what is being typed. False, and nothing happened, where they may not be on the screen
--- any more, or the terminal cannot do it.
---@param up integer rows
---@param text string harmless already
---@return boolean done
function terminal.rewrite(up, text) end

--- A number that grows whenever something else than print and rewrite wrote above the line, or moved what is there: a password that
--- was asked, Ctrl-C, another size.
---@return integer
function terminal.disturbed() end

function terminal.bell() end
--- Empties the screen but for what is being typed.
function terminal.clear() end
--- The window has another size.
function terminal.resized() end
---@return integer columns, integer rows
function terminal.size() end

-- --- the line --------------------------------------------------------------------------------------------------

--- As Ctrl-C.
---@return boolean had
function terminal.interrupt() end
---@return boolean something is typed and not entered yet
function terminal.typed() end
---@return string text, integer at the byte that the cursor stands on
function terminal.line() end
--- Puts another text there; from a line's callback: into the next line.
---@param text string
---@param at? integer standard: behind the end
function terminal.set_line(text, at) end
--- Inserts where the cursor is.
---@param text string
function terminal.insert(text) end

--- Lets Lua answer a key. Everything ends with stop.
---@param sequence string 1 to 15 bytes, as the terminal sends them
---@param callback fun()|nil nil: what the key did before
function terminal.bind(sequence, callback) end

--- Adds to what the arrow keys bring back.
---@param line string
function terminal.remember(line) end
---@return string[]
function terminal.history() end
--- Puts other lines in their place. "busy" during a search.
---@param lines string[] oldest first
---@return boolean|nil ok, string? message, string? name
function terminal.set_history(lines) end

-- --- text --------------------------------------------------------------------------------------------------------

--- Characters that steer a terminal or hide (Cc Cf Cn Co Cs Zl Zp), and combining marks without a character or beyond its sixth,
--- become "<U+200E>", bytes that are no UTF-8 "<80>".
---@param text string
---@param lines? boolean a newline stays, and a tab becomes four spaces
---@return string
function terminal.escape(text, lines) end

--- The same inside JSON text, as "\u200e": it means what it meant.
---@param text string
---@return string
function terminal.escape_json(text) end

--- As escape with lines, but sequences that only set colours stay: for text whose parts are harmless already.
---@param text string
---@return string
function terminal.clean(text) end

--- Columns that a harmless text takes.
---@param text string
---@return integer
function terminal.width(text) end

--- Rows that a harmless text takes on a screen of so many columns; they differ where terminals do.
---@param text string
---@param columns integer
---@return integer least, integer most
function terminal.rows(text, columns) end

--- What names are compared by (NFKC casefold); nil for what is no UTF-8.
---@param text string
---@return string|nil
function terminal.fold(text) end

return terminal
