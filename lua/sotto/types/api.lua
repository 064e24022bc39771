-- SPDX-License-Identifier: GPL-3.0-or-later
---@meta

--- The objects of the API, as results and events carry them. More fields may come.

---@class sotto.info
---@field version string
---@field api integer
---@field pid integer
---@field uptime integer seconds
---@field home string|nil
---@field fingerprint string|nil
---@field locked boolean
---@field listen { tcp: string, udp: string } "ADDR:PORT"
---@field discover { port: integer, paths: { interface: string, to: string, listening: boolean }[] }|nil
---@field addresses string[] where others may reach this core, as it tells its peers

---@class sotto.identity
---@field fingerprint string|nil 40 upper-case hex digits; null before create
---@field name string|nil
---@field locked boolean
---@field passphrase boolean|nil it can be locked
---@field adopted boolean|nil a key of the user's own GnuPG
---@field card boolean|nil of an adopted key: on a smart card

--- A key of the user's own GnuPG.
---@class sotto.candidate
---@field fingerprint string
---@field name string as it would be called here
---@field user_id string
---@field algorithm string "ed25519", "rsa4096"
---@field created integer milliseconds since 1970
---@field expires integer|nil when it, or what is needed of it, expires
---@field card boolean
---@field usable boolean it can be adopted
---@field reason string|nil why not

---@class sotto.peer
---@field fingerprint string
---@field name string chosen by the peer: for display only
---@field addresses string[]
---@field source "lan"|"file"|"exchange"|"rendezvous"|"dht"|"manual"
---@field last_seen integer milliseconds since 1970
---@field proven boolean its key signed what it says of itself
---@field verified boolean by a password that both sides knew
---@field online boolean

---@class sotto.member
---@field fingerprint string
---@field name string
---@field you boolean
---@field present boolean there is a link
---@field verified boolean
---@field problem string|nil why dialing it has failed: "refused", "unreachable", "timeout", "lost", …, or "no_address"
---@field tried string|nil "ADDR:PORT": where

---@class sotto.discussion
---@field id string 32 lower-case hex digits, the same on every member's core
---@field state "requesting"|"requested"|"opening"|"open"|"suspended"|"closed"|"refused"|"frozen"
---@field members sotto.member[] in roster order
---@field epoch integer
---@field roster_hash string
---@field words string the spoken fingerprint
---@field charter string
---@field sponsor string|nil
---@field unread integer
---@field suspended integer|nil milliseconds since 1970: since when no member can be reached
---@field reason string|nil why it was refused or closed

---@class sotto.message
---@field id string
---@field discussion string
---@field sender string a fingerprint
---@field epoch integer|nil null while queued or held
---@field seq integer|nil
---@field time integer milliseconds since 1970
---@field text string
---@field state "queued"|"held"|"sent"|"delivered"|"confirmed"|"received"|"void"|"failed"

---@class sotto.finding
---@field check string
---@field status "ok"|"warn"|"fail"|"skip" skip: it could not be looked at
---@field text string one line
---@field advice string one line: what to do; empty where there is nothing

--- params of an event's notification; the object stands under its noun.
---@class sotto.event
---@field seq integer from 1 with each core
---@field type string
---@field time integer milliseconds since 1970
---@field peer? sotto.peer
---@field discussion? sotto.discussion
---@field message? sotto.message
---@field messages? sotto.message[] in a batch
---@field identity? sotto.identity
---@field warning? { text: string, about: string|nil, over: boolean|nil } over: what it was about is in order again
---@field dropped? integer of events.lagged
---@field resume_after? integer of events.lagged
