// SPDX-License-Identifier: GPL-2.0-or-later
// Chinese titles and help of fields, their values of few words, and what Map says; loaded when the page speaks Chinese.
import words from "words:fields";
import values from "words:values";
import map from "words:zh_map";

export default { ...words, ...values, ...map };
