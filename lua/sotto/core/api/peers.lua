-- SPDX-License-Identifier: GPL-3.0-or-later
local references = require "sotto.core.references"

return {
  text = "who is there",
  methods = {
    {
      name = "list",
      text = "Lists the peers that this core knows of.",
      params = {},
      result = "peers",
      returns = "peer[]", since = 1, capability = "peers", errors = {},
    },
    {
      name = "show",
      text = "Shows one peer.",
      params = { references.peer },
      result = "the peer, and how many tries of a password are left with it",
      returns = "peer", since = 1, capability = "peers", errors = { "not_found", "ambiguous" },
    },
    {
      name = "certifiers",
      text = "Tells whose signatures on somebody's key your own GnuPG can check: the web of trust.",
      params = { references.peer },
      result = "fingerprint, and certifiers: the fingerprints of the keys that have signed it and are still good",
      returns = "object", since = 1, capability = "peers", errors = { "not_found", "ambiguous", "timeout", "io" },
    },
    {
      name = "probe",
      text = "Asks who is at an address, and answers when they have.",
      params = {
        { name = "address", type = "address", required = true, text = "HOST:PORT, or [V6]:PORT" },
      },
      result = "the peer that answered",
      returns = "peer", since = 1, capability = "peers",
      errors = { "not_found", "wrong_state", "locked", "busy", "timeout", "io" },
    },
    {
      name = "import",
      text = "Reads a contact file (lines of HOST:PORT [FINGERPRINT] [# note]) and probes each line.",
      params = { { name = "path", type = "path", required = true, text = "the file to read" } },
      result = "contacts in the file, how many were probed, and errors of other lines",
      returns = "object", since = 1, capability = "peers",
      errors = { "not_found", "too_large", "wrong_state", "locked", "io" },
    },
    {
      name = "export",
      text = "Writes the known peers into a contact file; what stands there already stays.",
      params = { { name = "path", type = "path", required = true, text = "the file to write" } },
      result = "contacts: how many were written",
      returns = "object", since = 1, capability = "peers", errors = { "not_found", "io" },
    },
    {
      name = "forget",
      text = "Forgets a peer: its addresses, its name, and that it was verified.",
      params = { references.peer },
      result = "nothing",
      returns = "nothing", since = 1, capability = "peers", errors = { "not_found", "ambiguous", "wrong_state" },
    },
  },
  events = {
    { type = "peer.seen", noun = "peer", since = 1, text = "A peer showed up, or changed." },
    { type = "peer.lost", noun = "peer", since = 1, text = "A peer's presence ran out." },
  },
}
