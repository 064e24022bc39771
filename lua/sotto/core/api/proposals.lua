-- SPDX-License-Identifier: GPL-3.0-or-later
local proposal = {
  name = "proposal", type = "string", least = 8, most = 32, required = true, text = "id, or 8 digits or more of it",
}

return {
  text = "who is a member",
  methods = {
    {
      name = "create",
      text = "Proposes a change of a discussion's members, or of its charter. Proposing is consenting.",
      params = {
        {
          name = "discussion", type = "discussion", required = true,
          text = "id, 8 digits or more of it, or the name of a member",
        },
        {
          name = "op", type = "enum", values = { "admit", "remove", "charter" }, required = true, text = "what changes",
        },
        { name = "peer", type = "peer", text = "who comes or goes: fingerprint, 8 digits or more of it, or name" },
        {
          name = "charter", type = "string", most = 3,
          text = "who must consent to an admission from then on: all, or how many",
        },
      },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "busy" },
    },
    {
      name = "list",
      text = "Lists proposals, ended ones too.",
      params = {
        { name = "discussion", type = "discussion", text = "id, 8 digits or more of it, or the name of a member" },
      },
      result = "proposals, oldest first",
      returns = "proposal[]", since = 1, capability = "proposals", errors = { "not_found", "ambiguous", "locked" },
    },
    {
      name = "show",
      text = "Shows one proposal: who has answered, and who is waited for.",
      params = { proposal },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals", errors = { "not_found", "ambiguous", "locked" },
    },
    {
      name = "answer",
      text = "Consents to a proposal, or refuses it. An answer is signed, and is the only one.",
      params = {
        proposal,
        { name = "answer", type = "enum", values = { "consent", "refuse" }, required = true, text = "yes or no" },
        { name = "reason", type = "string", most = 256, text = "for the other members" },
      },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "busy" },
    },
  },
  events = {
    { type = "proposal.opened", noun = "proposal", since = 1, text = "A change of the members is proposed." },
    { type = "proposal.answered", noun = "proposal", since = 1, text = "A member has answered a proposal." },
    { type = "proposal.committed", noun = "proposal", since = 1, text = "What was proposed holds from now on." },
    { type = "proposal.refused", noun = "proposal", since = 1, text = "A proposal cannot get its consents any more." },
    { type = "proposal.void", noun = "proposal", since = 1, text = "Another proposal was first." },
  },
}
