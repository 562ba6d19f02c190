// SPDX-License-Identifier: GPL-2.0-or-later
// Chinese of what the daemon says, part "past" of said.tsv; loaded when the page speaks Chinese.
import words from "words:said_past";

export default words;
