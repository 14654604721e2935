# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m drdrill.cli` is `drdrill`."""

from drdrill.cli.main import main

main()
