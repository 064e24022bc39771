-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.loop

--- The event loop. A handle that is at work keeps itself and its callback alive, so it need not be kept; stopping one twice is fine.
--- An error in a callback is logged with its traceback (or given to on_error), and the loop goes on.
---@class sotto.loop
local loop = {}

--- Returns after loop.stop(), or when nothing is left to wait for.
function loop.run() end
--- Ends every loop.run() that is under way, after this callback.
function loop.stop() end
---@return integer monotonic milliseconds
function loop.now() end

--- The handler gets the text and traceback of every error that a callback raised; nil: they are logged.
---@param handler? fun(text: string)
function loop.on_error(handler) end

---@class sotto.timer
local timer = {}
function timer:stop() end
---@param ms number a new delay, and for `every` the new period
function timer:restart(ms) end
---@return boolean
function timer:active() end
--- From now on it alone does not keep loop.run going.
---@return sotto.timer itself
function timer:background() end

---@param ms number
---@param callback fun()
---@return sotto.timer
function loop.after(ms, callback) end
---@param ms number at least 1
---@param callback fun()
---@return sotto.timer
function loop.every(ms, callback) end

--- Calls at the end of this turn, after all input of this turn was handled.
---@param callback fun()
function loop.defer(callback) end

---@class sotto.signal
local signal = {}
function signal:stop() end

--- A signal alone does not keep loop.run going.
---@param name "SIGINT"|"SIGTERM"|"SIGHUP"|"SIGQUIT"|"SIGUSR1"|"SIGUSR2"|"SIGWINCH"|"SIGCONT"|"SIGTSTP"
---@param callback fun(name: string)
---@return sotto.signal
function loop.signal(name, callback) end

---@class sotto.watch
local watch = {}
function watch:stop() end

--- Calls whenever the descriptor has something to read (or has ended).
---@param fd integer
---@param callback fun()
---@return sotto.watch
function loop.watch(fd, callback) end

--- Lines over a socket or pipe.
---@class sotto.stream
local stream = {}

---@class sotto.stream.options
---@field line? fun(line: string) each line, without its newline
---@field close? fun(reason: string|nil) once, when the other side has ended it or it broke (reason says how); not after stream:close
---@field max_line? integer the longest line, at most 16 MiB (standard 2 MiB); a longer one breaks the stream
---@field max_queue? integer bytes that may wait to be written (standard 16 MiB)

--- Queues the line and a newline. "busy" where the queue is full, "wrong_state" after the end.
---@param line string without a newline
---@return boolean|nil ok, string? message, string? name
function stream:send(line) end

--- The value as a line of JSON, as json.encode, but secrets are written as strings: into memory that is wiped after it was sent.
---@param value any
---@return boolean|nil ok, string? message, string? name
function stream:send_json(value) end

--- Stops reading, so that the other side has to wait, until stream:resume().
function stream:pause() end
function stream:resume() end

--- Ends it: what is queued is still written. The close callback does not come.
function stream:close() end

--- A stream over a descriptor that this process was started with, which is the stream's from now on.
---@param fd integer
---@param options sotto.stream.options
---@return sotto.stream
function loop.stream(fd, options) end

--- Connects to a UNIX socket; the path may be of any length. Answers at once: a core that does not run is an error here.
---@param path string
---@param options sotto.stream.options
---@return sotto.stream|nil, string? message, string? name
function loop.connect_unix(path, options) end

---@class sotto.process
---@field pid integer
---@field stdin sotto.stream|nil where asked for by "pipe"
---@field socket sotto.stream|integer|nil where stdin = "socket": a stream, or without options.socket the descriptor, the caller's
---@field stdout sotto.stream|nil
---@field stderr sotto.stream|nil
local process = {}

--- Sends a signal; nothing happens where the process has ended.
---@param name string "SIGTERM", …
function process:kill(name) end
---@return boolean
function process:running() end

---@class sotto.process.options
---@field [integer] string the arguments after the program's name
---@field program string looked for in PATH unless it has a slash
---@field stdin? "null"|"inherit"|"pipe"|"socket"|integer a descriptor (standard "null"); "socket": one end of a socket pair
---@field socket? sotto.stream.options of the other end, with stdin = "socket"; nil: it is given out as a descriptor
---@field stdout? "null"|"inherit"|"pipe"|integer (standard "inherit")
---@field stderr? "null"|"inherit"|"pipe"|integer (standard "inherit")
---@field on_stdout? fun(line: string) each line, with stdout = "pipe"
---@field on_stderr? fun(line: string) each line, with stderr = "pipe"
---@field on_exit? fun(status: integer|nil, signal: string|nil) once; the exit status, or the name of the signal that ended it
---@field environment? table<string, string|false> changes to this process's own; false removes
---@field bare? boolean true: of this process's own variables none are passed on
---@field directory? string
---@field group? boolean true: a process group of its own, so that the terminal's Ctrl-C does not reach it
---@field session? boolean true: a session of its own, and with it a group
---@field whole? boolean true: as group, and process:kill reaches all of that group
---@field follows? boolean true: it gets SIGTERM when this process has ended, also by kill -9

--- Starts a process. What it prints may still come after on_exit. It is not ended with this process, unless it follows.
---@param options sotto.process.options
---@return sotto.process|nil, string? message, string? name
function loop.spawn(options) end

return loop
