"""Countries that count: single ones as Discogs writes them, past ones included; regions and mixtures are not here.

Source:  the country field of Discogs' monthly dumps (CC0) and the country filter of its search; contract §3.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
Abkhazia; Afghanistan; Albania; Algeria; American Samoa; Andorra; Angola; Anguilla; Antarctica; Antigua & Barbuda;
Argentina; Armenia; Aruba; Australia; Austria; Austria-Hungary; Azerbaijan; Bahamas, The; Bahrain; Bangladesh;
Barbados; Basutoland; Belarus; Belgian Congo; Belgium; Belize; Benin; Bermuda; Bhutan; Bohemia; Bolivia;
Bosnia & Herzegovina; Botswana; Brazil; British Virgin Islands; Brunei; Bulgaria; Burkina Faso; Burma; Burundi;
Cambodia; Cameroon; Canada; Cape Verde; Cayman Islands; Central African Republic; Ceylon; Chad; Chile; China;
Cocos (Keeling) Islands; Colombia; Comoros; Congo, Democratic Republic of the; Congo, Republic of the; Cook Islands;
Costa Rica; Croatia; Cuba; Curaçao; Cyprus; Czech Republic; Czechoslovakia; Dahomey; Denmark; Djibouti; Dominica;
Dominican Republic; Dutch East Indies; East Timor; Ecuador; Egypt; El Salvador; Equatorial Guinea; Eritrea; Estonia;
Eswatini; Ethiopia; Falkland Islands; Faroe Islands; Fiji; Finland; France; French Guiana; French Polynesia; Gabon;
Gaza Strip; Gambia, The; Georgia; German Democratic Republic (GDR); Germany; Ghana; Gibraltar; Greece; Greenland;
Grenada; Guadeloupe; Guam; Guatemala; Guernsey; Guinea; Guinea-Bissau; Guyana; Haiti; Honduras; Hong Kong; Hungary;
Iceland; India; Indochina; Indonesia; Iran; Iraq; Ireland; Isle Of Man; Israel; Italy; Ivory Coast; Jamaica; Japan;
Jersey; Jordan; Kazakhstan; Kenya; Kiribati; Korea; Korea (pre-1945); Kosovo; Kuwait; Kyrgyzstan; Laos; Latvia;
Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; Luxembourg; Macau; Macedonia; Madagascar; Malawi;
Malaysia; Maldives; Mali; Malta; Man, Isle of; Marshall Islands; Martinique; Mauritania; Mauritius; Mayotte; Mexico;
Micronesia, Federated States of; Moldova, Republic of; Monaco; Mongolia; Montenegro; Montserrat; Morocco; Mozambique;
Myanmar; Namibia; Nauru; Nepal; Netherlands; Netherlands Antilles; New Caledonia; New Zealand; Nicaragua; Niger;
Nigeria; Niue; Norfolk Island; North Korea; North Macedonia; Northern Mariana Islands; Norway; Oman; Ottoman Empire;
Pakistan; Palau; Palestine; Panama; Papua New Guinea; Paraguay; Peru; Philippines; Pitcairn Islands; Poland; Portugal;
Protectorate of Bohemia and Moravia; Puerto Rico; Qatar; Reunion; Rhodesia; Romania; Russia; Rwanda; Saint Helena;
Saint Kitts and Nevis; Saint Lucia; Saint Pierre and Miquelon; Saint Vincent and the Grenadines; Samoa; San Marino;
Sao Tome and Principe; Saudi Arabia; Senegal; Serbia; Serbia and Montenegro; Seychelles; Sierra Leone; Singapore;
Sint Maarten; Slovakia; Slovenia; Solomon Islands; Somalia; South Africa; South Korea; South Sudan; South Vietnam;
South West Africa; Southern Rhodesia; Southern Sudan; Spain; Sri Lanka; Sudan; Suriname; Svalbard; Swaziland; Sweden;
Switzerland; Syria; Taiwan; Tajikistan; Tanzania; Thailand; Tibet; Togo; Tokelau; Tonga; Trinidad & Tobago; Tunisia;
Turkey; Turkmenistan; Turks and Caicos Islands; Tuvalu; UK; US; USSR; Uganda; Ukraine; United Arab Emirates;
Upper Volta; Uruguay; Uzbekistan; Vanuatu; Vatican City; Venezuela; Vietnam; Virgin Islands; Wallis and Futuna;
West Bank; Western Sahara; Yemen; Yugoslavia; Zaire; Zambia; Zanzibar; Zimbabwe
"""

COUNTRIES: Final[frozenset[str]] = frozenset(" ".join(name.split()) for name in _NAMES.split(";"))
