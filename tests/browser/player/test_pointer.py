"""What mouse and finger do in the graph."""

from playwright.sync_api import expect

from .driving import at, batch_of, loaded, opened


def test_a_press_ends_where_the_button_is_let_go(page, site):
    """Down at the lower edge, out of the graph, up, and back: moving without a button changes nothing."""
    opened(page, site + "#batch=40")
    box = page.locator(".wp-canvas").first.bounding_box()
    x, bottom = box["x"] + 60, box["y"] + box["height"]
    page.mouse.move(x, bottom - 3)
    page.mouse.down()
    page.mouse.move(x, bottom + 40)
    page.mouse.up()
    page.mouse.move(x, bottom - 30)
    page.mouse.move(x + 200, bottom - 30, steps=5)
    page.wait_for_timeout(200)
    assert batch_of(page) == 40
    page.mouse.down()
    page.mouse.move(x + 250, bottom + 40, steps=5)  # a drag goes on outside
    page.mouse.up()
    page.mouse.move(x, bottom - 30, steps=5)
    expect(page.locator(".wp-words")).to_contain_text(at(50))


def test_only_the_first_button_pins(page, site):
    """A right click opens the browser's menu, and nothing else."""
    opened(page, site + "#batch=2")
    x, y = page.evaluate("""() => {
        const {stages: [stage]} = document.querySelector('weight-player').content.view;
        let best = 0;
        stage.signed.forEach((value, edge) => { if (Math.abs(value) > Math.abs(stage.signed[best])) best = edge; });
        const [x1, y1, x2, y2] = stage.picture.places.segments.slice(4 * best, 4 * best + 4);
        const {left, top} = stage.canvas.getBoundingClientRect();
        return [left + (x1 + x2) / 2, top + (y1 + y2) / 2];
    }""")
    for button in ("right", "middle"):
        page.mouse.click(x, y, button=button)
        page.wait_for_timeout(100)
        assert page.locator(".wp-cards .wp-card:visible").count() == 0
    page.mouse.click(x, y)
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)


def test_fingers_tap_and_drag(browser, site):
    """A tap pins, a drag across the graph goes through the batches, a drag down scrolls the page."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    opened(page, site + "#batch=2")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    sizes = page.locator(".wp-player :is(input[type=number], select)").evaluate_all(
        "(fields) => fields.map((field) => parseFloat(getComputedStyle(field).fontSize))"
    )
    assert min(sizes) >= 16  # else Safari zooms in when one is tapped
    box = page.locator(".wp-canvas").first.bounding_box()
    page.touchscreen.tap(box["x"] + 0.72 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)
    loaded(page)
    tip = page.locator(".wp-tip")
    expect(tip).to_be_in_viewport(ratio=1)  # the card itself is not
    title = page.locator(".wp-cards .wp-card-title").first
    expect(title).not_to_be_in_viewport()
    expect(tip).to_contain_text(title.inner_text())
    expect(tip).to_contain_text(page.locator(".wp-cards .wp-says").first.inner_text())
    tip.get_by_role("button").tap()
    expect(title).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    session = context.new_cdp_session(page)
    x, y = box["x"] + 60, box["y"] + 100
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        points = [{"x": x + 10 * step, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".wp-words")).to_contain_text(at(22))
    context.close()
