-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a front end tells of itself where a pinentry may have to find its person.
local session = {
  name = "session", type = "strings", most = 32,
  text = "where your pinentry finds you, as NAME=value: GPG_TTY, TERM, DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, LANG, ...",
}

return {
  text = "your own key",
  methods = {
    {
      name = "show",
      text = "Shows the own identity.",
      params = {},
      result = "the identity; its fingerprint is null before create",
      returns = "identity", since = 1, capability = "base", errors = {},
    },
    {
      name = "create",
      text = "Makes the own key (ed25519 and cv25519). Answers when it is usable.",
      params = {
        {
          name = "name", type = "string", required = true, least = 1, most = 32,
          text = "what others see; up to 32 bytes",
        },
        {
          name = "passphrase", type = "secret", least = 1,
          text = "protects the key on disk; asked for at every start",
        },
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity", errors = { "wrong_state", "crypto", "io" },
    },
    {
      name = "candidates",
      text = "Lists the keys of your own GnuPG, and why some of them cannot be adopted.",
      params = {},
      result = "the keys, those that can be adopted first",
      returns = "candidate[]", since = 1, capability = "identity", errors = { "timeout", "io" },
    },
    {
      name = "adopt",
      text = "Takes a key of your own GnuPG (its secret stays there); others see its user id, mail and all.",
      asks = true,
      params = {
        {
          name = "fingerprint", type = "string", required = true, least = 40, most = 40,
          text = "of the key, 40 upper-case hex digits",
        },
        {
          name = "name", type = "string", least = 1, most = 32,
          text = "what others see; without it, as the key's user id says",
        },
        session,
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity",
      errors = { "wrong_state", "not_found", "refused", "locked", "timeout", "too_large", "io", "canceled" },
    },
    {
      name = "unlock",
      text = "Opens the own key with its passphrase; for an adopted key your own pinentry asks.",
      asks = true,
      params = {
        {
          name = "passphrase", type = "secret", least = 1, unless = "adopted",
          text = "of the own key; an adopted one takes none",
        },
        session,
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity",
      errors = { "not_found", "refused", "locked", "wrong_state", "timeout", "canceled" },
    },
    {
      name = "cancel",
      text = "Takes back what your own pinentry is asked by adopt or unlock, which then fails with canceled.",
      params = {},
      result = "the identity",
      returns = "identity", since = 1, capability = "identity", errors = {},
    },
    {
      name = "lock",
      text = "Forgets the passphrase: what needs the key fails with locked until unlock.",
      params = {},
      result = "the identity",
      returns = "identity", since = 1, capability = "identity", errors = { "not_found", "wrong_state" },
    },
    {
      name = "passphrase",
      text = "Changes the passphrase of the own key.",
      params = {
        { name = "old", type = "secret", least = 1, text = "the present one; left out where there is none" },
        { name = "new", type = "secret", required = true, least = 1, text = "the new one" },
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity",
      errors = { "not_found", "refused", "locked", "wrong_state" },
    },
  },
  events = {
    {
      type = "passphrase.needed", noun = "identity", since = 1,
      text = "The own key is locked, and something waits for it.",
    },
  },
}
