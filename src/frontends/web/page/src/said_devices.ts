// SPDX-License-Identifier: GPL-2.0-or-later
// Chinese of what the daemon says, part "devices" of said.tsv; loaded when the page speaks Chinese.
import words from "words:said_devices";

export default words;
