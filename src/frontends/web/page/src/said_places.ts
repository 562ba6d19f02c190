// SPDX-License-Identifier: GPL-2.0-or-later
// Chinese of what the daemon says, part "places" of said.tsv; loaded when the page speaks Chinese.
import words from "words:said_places";

export default words;
