// SPDX-License-Identifier: GPL-2.0-or-later
import { render } from "preact";
import "./app.css";

function App() {
	return <main class="boot">weir</main>;
}

render(<App />, document.getElementById("app")!);
