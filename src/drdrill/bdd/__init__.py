# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The drilling side of the pytest plugin: from a `.feature` file to a drill and back. Loaded only when an estate is named.

signs      what input methods type in place of the signs of Gherkin; pure
mend       findings that say what to type, and putting it into the file
reading    what stands in a .feature file, and what is wrong with it; no pytest
collector  .feature files become pytest items, without Python
resolve    which step function a sentence means
compile    every sentence is called once with recorders, before anything is touched
running    one drill around one item, and which sentence it is at
around     the hooks around one drill: begin, sentences, heal and judge
session    the hooks of the whole run: what is collected, findings, exit status
lines      what a person sees on the terminal
outcome    results to pytest's words and to the exit status; pure
compat     everything private of pytest and pytest-bdd
"""
