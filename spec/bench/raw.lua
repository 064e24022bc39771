-- SPDX-License-Identifier: GPL-3.0-or-later
-- gpg in a process of its own: seal + open of one message, N times, a line of milliseconds each. WAY: raw (gpgme called
-- synchronously), layer (through engine/openpgp), ahead (the same with gpg started ahead).
-- Usage: lua5.4 spec/bench/raw.lua WAY N BYTES
package.cpath = "./build/?.so;" .. package.cpath
local result = require("support.openpgp_bench")[arg[1] .. "_seal_open"](tonumber(arg[2]), tonumber(arg[3]))
for i, seal in ipairs(result.seal) do print(seal + result.open[i]) end
