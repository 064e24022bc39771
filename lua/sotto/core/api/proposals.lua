-- SPDX-License-Identifier: GPL-3.0-or-later
local references = require "sotto.core.references"

local proposal = { name = "proposal", type = "proposal", required = true, text = "id, or 8 digits or more of it" }

return {
  text = "who is to come and to go",
  methods = {
    {
      name = "create",
      text = "Proposes a change of a discussion's members, or of its charter. Proposing is consent.",
      params = {
        references.discussion,
        { name = "op", type = "enum", required = true, values = { "admit", "remove", "charter" }, text = "what" },
        { name = "peer", type = "peer", text = "who is to be admitted, or removed" },
        { name = "peers", type = "strings", least = 1, most = 63, text = "several members, to be removed together" },
        {
          name = "charter", type = "string", least = 1, most = 3,
          text = "who must consent to an admission: \"all\", or so many members, \"1\" to \"64\"",
        },
      },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals",
      errors = { "not_found", "ambiguous", "wrong_state", "refused", "locked", "busy" },
    },
    {
      name = "list",
      text = "Lists proposals, those that have ended too, oldest first.",
      params = {
        { name = "discussion", type = "discussion", text = "only this discussion's" },
      },
      result = "proposals",
      returns = "proposal[]", since = 1, capability = "proposals", errors = { "not_found", "ambiguous", "locked" },
    },
    {
      name = "show",
      text = "Shows one proposal: who has answered what, and who is waited for.",
      params = { proposal },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals", errors = { "not_found", "ambiguous", "locked" },
    },
    {
      name = "answer",
      text = "Consents to a proposal or refuses it, for good; every member sees the answer and its reason.",
      params = {
        proposal,
        { name = "answer", type = "enum", required = true, values = { "consent", "refuse" }, text = "which" },
        { name = "reason", type = "string", most = 256, text = "why: every member can read it" },
      },
      result = "the proposal",
      returns = "proposal", since = 1, capability = "proposals",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "busy" },
    },
    {
      name = "explain",
      text = "Tells what each policy would say of an admission, and says nothing.",
      params = { proposal },
      result = "the policies' opinions in the order in which they count, and what follows from them",
      returns = "object", since = 1, capability = "proposals",
      errors = { "not_found", "ambiguous", "wrong_state", "locked" },
    },
  },
  events = {
    { type = "proposal.opened", noun = "proposal", since = 1, text = "A change of members or charter is proposed." },
    { type = "proposal.answered", noun = "proposal", since = 1, text = "A member has consented or refused." },
    { type = "proposal.committed", noun = "proposal", since = 1, text = "The members have carried out a proposal." },
    { type = "proposal.refused", noun = "proposal", since = 1, text = "A proposal was refused; an answer says why." },
    {
      type = "proposal.void", noun = "proposal", since = 1,
      text = "A proposal has come to nothing, for the members have changed.",
    },
  },
}
