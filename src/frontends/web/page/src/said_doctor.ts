// SPDX-License-Identifier: GPL-2.0-or-later
// Chinese of what the daemon says, part "doctor" of said.tsv; loaded when the page speaks Chinese.
import words from "words:said_doctor";

export default words;
