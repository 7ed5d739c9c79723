// Rounds on a map: one line a carer, from the start through the stops. The list on the page says the same; choosing a stop chooses it there.
"use strict";
(() => {
  const place = document.getElementById("route-map");
  if (!place || !window.L) return;
  const colours = ["#0958d9", "#cf1322", "#237804", "#874d00", "#531dab", "#08979c", "#9e1068", "#434343"];
  const map = L.map(place, { attributionControl: false, keyboard: true, zoomControl: true });
  const layer = L.layerGroup().addTo(map);
  const stops = new Map();
  let lanes = [];
  let drawn = "";
  function draw() {
    const told = (document.getElementById("route-data") || place).dataset.routes;
    if (told === drawn) return;
    const isFirst = !drawn;
    drawn = told;
    layer.clearLayers();
    stops.clear();
    lanes = [];
    const all = [];
    JSON.parse(told).forEach((route, number) => {
      const color = route.dots ? "#595f69" : colours[number % colours.length];
      const points = route.stops.map((stop) => [stop.lat, stop.lon]);
      const lane = { staff: String(route.staff), marks: [] };
      lanes.push(lane);
      if (!route.dots) lane.marks.push(L.polyline(points, { color, weight: 3 }).bindTooltip(route.name, { sticky: true }).addTo(layer));
      (route.rings || []).forEach((ring) => {
        L.polygon(ring, { color, weight: 2, fillOpacity: 0.15 }).bindTooltip(route.name, { sticky: true }).addTo(layer);
        all.push(...ring);
      });
      route.stops.forEach((stop, index) => {
        const isEnd = !stop.id && !index;
        const mark = L.circleMarker([stop.lat, stop.lon], { radius: isEnd ? 5 : 7, color, fillColor: isEnd || route.dots ? "#ffffff" : color, fillOpacity: 1 })
          .bindTooltip(route.name + " " + stop.text).addTo(layer);
        lane.marks.push(mark);
        if (!stop.id) return;
        stops.set(stop.id, mark);
        mark.on("click", () => { const one = document.getElementById(stop.id); if (one) { one.focus(); one.click(); } });
      });
      all.push(...points);
    });
    if (isFirst && all.length) map.fitBounds(all, { padding: [24, 24], maxZoom: 16 });
    else if (isFirst) map.setView([31.57, 120.3], 11);
  }
  draw();
  document.body.addEventListener("htmx:afterSettle", draw);
  // What has the focus in the list stands out on the map: the carer's round, and the stop in it.
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-staff]");
    const mark = stops.get(event.target.id);
    if (!row && !mark) return;
    lanes.forEach((lane) => lane.marks.forEach((one) => one.setStyle({ opacity: !row || lane.staff === row.dataset.staff ? 1 : 0.15, fillOpacity: !row || lane.staff === row.dataset.staff ? 1 : 0.15 })));
    stops.forEach((one) => one.setRadius(7));
    if (!mark) return;
    mark.setRadius(11).bringToFront().openTooltip();
    map.panInside(mark.getLatLng(), { padding: [40, 40] });
  });
})();
