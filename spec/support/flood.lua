-- SPDX-License-Identifier: GPL-3.0-or-later
-- The flooder's process. Usage: lua5.4 spec/support/flood.lua SETTINGS.json CERTIFICATE
package.cpath = "./" .. (os.getenv "SOTTO_SPEC_BUILD" or "build") .. "/?.so;" .. package.cpath
local flood = require "support.flood"
local json = require "sotto.json"

local STRANGERS = 4000 -- different ones, each as often as it takes

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local strangers = flood.make(read(arg[2]), STRANGERS)
local sent, refused = strangers:run(assert(json.decode(read(arg[1]))))
print(("sent %d datagrams, and %d were refused by the kernel"):format(sent, refused))
