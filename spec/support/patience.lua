-- SPDX-License-Identifier: GPL-3.0-or-later
-- What every deadline of a spec is multiplied by: SOTTO_SPEC_PATIENCE, for builds that are slow on purpose.
return tonumber(os.getenv "SOTTO_SPEC_PATIENCE") or 1
