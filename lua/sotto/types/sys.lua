-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.sys

--- What Lua's own library lacks of the system. Failures: nil, message, name (as in the API: "not_found", "io", "busy", …).
---@class sotto.sys
---@field version string of sotto
local sys = {}

---@param name string
---@return string|nil
function sys.getenv(name) end
---@param fd integer
---@return boolean
function sys.isatty(fd) end
---@return integer
function sys.getuid() end
---@return integer
function sys.getpid() end
---@param mask integer
---@return integer before
function sys.umask(mask) end
---@return string|nil path of the program that runs
function sys.executable() end
---@return string
function sys.hostname() end
---@return {name: string, home: string}|nil
function sys.user() end
---@return integer milliseconds since 1970
function sys.now_ms() end
---@return number milliseconds of a clock that nobody sets
function sys.monotonic_ms() end
---@param pid integer
---@return boolean
function sys.alive(pid) end
---@param pid integer
---@param signal string "SIGTERM", …
---@return boolean|nil ok, string? message, string? name
function sys.kill(pid, signal) end
---@param fd? integer standard: 1
---@return integer|nil columns, integer rows
function sys.terminal_size(fd) end
---@param bytes? integer 1 to 64 (standard 16)
---@return string
function sys.random_hex(bytes) end
--- H of the protocol: BLAKE2b-256.
---@param text string
---@return string 64 lower-case hex digits
function sys.hash(text) end
--- Milliseconds that a process has computed; nil where it is gone.
---@param pid integer
---@return integer|nil
function sys.cpu_ms(pid) end

--- mkdir -p, 0700; an existing one must be ours and is made 0700.
---@param path string
---@return boolean|nil ok, string? message, string? name
function sys.make_private_directory(path) end
---@param prefix string for example "/tmp/sotto-"
---@return string|nil path, string? message, string? name
function sys.make_temporary_directory(prefix) end
---@class sotto.sys.stat
---@field kind "file"|"directory"|"link"|"socket"|"other"
---@field size integer
---@field mode integer
---@field uid integer
---@field modified integer seconds since 1970
---@field changed integer its text, name or rights; nobody can set it back
---@param path string
---@param follow? boolean false: of a link itself
---@return sotto.sys.stat|nil, string? message, string? name
function sys.stat(path, follow) end
---@param path string
---@return boolean
function sys.exists(path) end
---@param path string
---@return string|nil path, string? message, string? name
function sys.realpath(path) end
---@return string|nil path, string? message, string? name
function sys.cwd() end
--- Names in order, at most 10,000, without "." and "..".
---@param path string
---@return string[]|nil, string? message, string? name
function sys.list(path) end
---@param path string
---@param max? integer bytes, at most and by standard 16 MiB; "too_large" beyond
---@return string|nil, string? message, string? name
function sys.read_file(path, max) end
--- The old or the new content, never a mixture.
---@param path string
---@param text string
---@param mode? integer standard 0600 (octal)
---@return boolean|nil ok, string? message, string? name
function sys.write_file(path, text, mode) end
--- Removes a file, link or tree; never follows a link. Nothing there is fine.
---@param path string
---@return boolean|nil ok, string? message, string? name
function sys.remove_tree(path) end

--- Files beneath a folder: no "..", link or mount leads out of it ("refused"), and only regular files are opened.
---@param root string
---@param path string within it
---@param offset integer
---@param most integer bytes, at most 1 MiB
---@return string|nil text, integer|string size_or_message, string? name
function sys.beneath_read(root, path, offset, most) end
---@param root string
---@param path string
---@param text string
---@param most integer bytes that the file may have afterwards
---@return boolean|nil ok, string? message, string? name
function sys.beneath_append(root, path, text, most) end
--- The old or the new content, never a mixture.
---@param root string
---@param path string
---@param text string
---@return boolean|nil ok, string? message, string? name
function sys.beneath_write(root, path, text) end
---@param root string
---@param path string
---@return boolean|nil ok, string? message, string? name
function sys.beneath_remove(root, path) end
--- At most 1000, in the directory's own order. A link is "other".
---@param root string
---@param path string ".": the folder itself
---@return {name: string, kind: "file"|"directory"|"other", size: integer, modified: integer}[]|nil, string? message, string? name
function sys.beneath_list(root, path) end

---@class sotto.sys.lock
local lock = {}
function lock:release() end
--- Takes the lock that the file stands for, until release or the process's end. "busy" names the process that holds it.
---@param path string
---@return sotto.sys.lock|nil, string? message, string? name
function sys.lock(path) end

---@class sotto.sys.disk
---@field size integer bytes
---@field free integer bytes that this user may still fill
---@field files integer 0 where the file system does not count them
---@field files_free integer
---@field read_only boolean
--- Of the file system that the path is on.
---@param path string
---@return sotto.sys.disk|nil, string? message, string? name
function sys.disk(path) end
--- Whether this process may write the file, or in the directory; nothing is written.
---@param path string
---@return boolean|nil ok, string? message, string? name
function sys.may_write(path) end
---@return { limit: integer, most: integer, used: integer }|nil, string? message, string? name
function sys.descriptors() end
--- Whether secrets can be kept out of the swap.
---@return boolean
function sys.locks_memory() end
--- Whether TCP and UDP are free at a numeric address: both are bound for a moment. "busy" where either is taken.
---@param address string
---@return boolean|nil ok, string? message, string? name
function sys.try_listen(address) end
---@class sotto.sys.interface
---@field name string
---@field address string "ADDR:0"
---@field loopback boolean
---@field multicast boolean it carries link-local multicast
---@field broadcast string|nil IPv4: where all in its network are reached
--- One for each address of each interface that is up and has a carrier; at most 64.
---@return sotto.sys.interface[]
function sys.interfaces() end
---@class sotto.sys.gnupg
---@field gpg string|nil the program
---@field version string|nil nil: it is not there, or does not run
---@field agent string|nil the program gpg-agent
---@field least string the oldest version that serves
---@field problem string|nil what is missing or too old
--- As this process saw it first; that takes some 20 ms.
---@return sotto.sys.gnupg
function sys.gnupg() end

---@class sotto.sys.daemon
local daemon = {}
--- Lets the parent exit with 0, and gives up standard error.
function daemon:ready() end
--- Lets the parent print the line and exit with the status.
---@param text string
---@param status? integer standard 1
function daemon:fail(text, status) end
--- Goes on in a child, in a session of its own; the parent waits for the handle's word and never returns. Before the loop is used.
---@return sotto.sys.daemon|nil, string? message, string? name
function sys.daemonise() end

return sys
