"""What another optimizer would have made of the recorded gradients: for all lines at once, while the slider moves."""

import itertools
import re

from playwright.sync_api import expect

from .driving import LAST, SHORTER, at, loaded, opened, pattern, say, shot

MOMENTA = "document.querySelector('weight-player').content.shownRuns"


def test_at_the_recorded_setting_it_is_the_recording(page, site):
    """Beside each other: no line has another colour, but where rounding decides."""
    opened(page, site + "#batch=60")
    page.get_by_role("combobox", name=say("optimizer")).select_option("adam")
    expect(page.get_by_role("slider", name=say("momentum"))).to_have_value("0.9")
    expect(page).to_have_url(re.compile(r"replay=adam:0\.9"))
    expect(page.locator(".wp-note")).to_contain_text(say("filter_alone"))
    assert page.locator(".wp-note a").get_attribute("href") == "index.html#loop"
    page.get_by_role("button", name=say("compare_recorded")).click()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(2)
    loaded(page)
    same, all_of_them = page.evaluate(f"""() => {{
        const [left, right] = {MOMENTA};
        let same = 0, moved = 0;
        for (let batch = 1; batch <= {LAST}; batch++) {{
            const others = left.updates(batch);
            right.updates(batch).forEach((update, edge) => {{
                if (!update) return;
                moved++;
                if (Math.sign(update) === Math.sign(others[edge])) same++;
            }});
        }}
        return [same, moved];
    }}""")
    assert all_of_them > 50_000
    assert same / all_of_them > 0.997


def test_the_slider_turns_every_line_at_once(page, site):
    """Without momentum the streaks of the same gradients are shorter; the address follows, with no new entries."""
    opened(page, site + "#batch=60&edge=l5.3.2&replay=adam:0.9")
    slider = page.get_by_role("slider", name=say("momentum"))
    history = page.locator(".wp-cards .wp-history").first
    expect(history).to_contain_text(say("batches_other", count=LAST))
    length = page.evaluate("history.length")
    means = []
    for value in ("0.9", "0.5", "0"):
        slider.fill(value)
        expect(page).to_have_url(re.compile(rf"replay=adam:{re.escape(value)}$"))
        means.append(
            page.evaluate(f"""async () => {{
                const {{meanRun}} = await import("./assets/player/runs.js");
                const [run] = {MOMENTA};
                const all = Array.from({{length: 440}}, (_, edge) => meanRun(run.series(edge).updates));
                return all.filter(Number.isFinite).sort((a, b) => a - b)[200];
            }}""")
        )
    assert means == sorted(means, reverse=True)
    assert means[0] > 1.5 * means[-1]
    assert page.evaluate("history.length") == length
    page.get_by_role("combobox", name=say("optimizer")).select_option("recorded")
    expect(slider).to_be_hidden()
    expect(page).not_to_have_url(re.compile("replay"))


def test_the_graph_and_its_name_follow(page, site):
    """What is drawn on the left is what is replayed, and is called so; the recording comes back unchanged."""
    opened(page, site + "#batch=60&scale=full")
    page.wait_for_load_state("networkidle")
    recorded = shot(page)
    run = page.get_by_label(say("run"), exact=True)
    chosen = page.get_by_role("combobox", name=say("optimizer"))
    chosen.select_option("sgd")
    slider = page.get_by_role("slider", name=say("momentum"))
    pictures = [recorded]
    for value in ("0.9", "0"):
        slider.fill(value)
        label = say("replayed", label="Adam, β1 = 0.9", optimizer=say("replay_sgd", value=f"{float(value):.2f}"))
        expect(run.locator("option:checked")).to_have_text(label)
        loaded(page)  # until then the last picture stays
        pictures.append(shot(page))
    chosen.select_option("recorded")
    expect(run.locator("option:checked")).to_have_text("Adam, β1 = 0.9")
    loaded(page)
    for one, other in itertools.pairwise(pictures):
        assert (one != other).any(axis=-1).sum() > 500
    assert (shot(page) == recorded).all()


def test_the_replayed_stands_beside_any_training_run(page, site):
    """It has a name of its own; back at the recording, nothing is compared with itself."""
    opened(page, site + "#batch=60&replay=sgd:0.5&compare=adam-b1-0.9")
    label = say("replayed", label="Adam, β1 = 0.9", optimizer=say("replay_sgd", value="0.50"))
    expect(page.locator(".wp-words")).to_contain_text(f"{at(60)}. {label}:")
    without = pattern("side_loss", label=r"[^.]+", loss=r"[\d.]+", lit=r"[^.]*").findall(
        page.locator(".wp-words").inner_text()
    )
    assert len(without) == 1, "a training that was not has no loss"
    page.get_by_label(say("run_beside")).select_option(label="Adam, β1 = 0")
    expect(page.locator(".wp-words")).to_contain_text(at(60, SHORTER))
    page.get_by_label(say("run_beside")).select_option(label="Adam, β1 = 0.9")
    page.get_by_role("combobox", name=say("optimizer")).select_option("recorded")
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)
