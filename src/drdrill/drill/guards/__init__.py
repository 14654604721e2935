# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Guards: one file each, one protocol. Each answers what would be left."""
