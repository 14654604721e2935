# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The guardian: a process beside the drill, with its own undo log and ways in, that heals when the drill is not heard any more."""
