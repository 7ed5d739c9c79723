// The carers' day on a map: one line a carer, from the site through the stops. The list on the page says the same.
"use strict";
(() => {
  const place = document.getElementById("route-map");
  if (!place || !window.L) return;
  const routes = JSON.parse(place.dataset.routes);
  const colours = ["#0958d9", "#cf1322", "#237804", "#874d00", "#531dab", "#08979c", "#9e1068", "#434343"];
  const map = L.map(place, { attributionControl: false, keyboard: true, zoomControl: true });
  const all = [];
  routes.forEach((route, number) => {
    const color = colours[number % colours.length];
    const points = route.stops.map((stop) => [stop.lat, stop.lon]);
    L.polyline(points, { color, weight: 3 }).bindTooltip(route.name, { sticky: true }).addTo(map);
    route.stops.forEach((stop, index) => {
      L.circleMarker([stop.lat, stop.lon], { radius: index ? 7 : 5, color, fillColor: index ? color : "#ffffff", fillOpacity: 1 })
        .bindTooltip(route.name + " " + stop.text).addTo(map);
    });
    all.push(...points);
  });
  if (all.length) map.fitBounds(all, { padding: [24, 24], maxZoom: 16 });
  else map.setView([31.57, 120.3], 11);
})();
