-- SPDX-License-Identifier: GPL-3.0-or-later
-- Raw gpgme in a process of its own: seal + open of one message, N times, a line of milliseconds each.
-- Usage: lua5.4 spec/bench/raw.lua N BYTES
package.cpath = "./build/?.so;" .. package.cpath
local result = require("support.openpgp_bench").raw_seal_open(tonumber(arg[1]), tonumber(arg[2]))
for i, seal in ipairs(result.seal) do print(seal + result.open[i]) end
