"""Sources with a claim that they bear out in other words, and one of their own words that they do not."""

RECOMBINED = [
    # (source, what it says, what it does not say)
    ("The ferry leaves at 7:40 and the bus at 8:15.", "The bus goes at 8:15.", "The ferry leaves at 8:15."),
    ("A room costs 80 euros, breakfast 12 euros.", "You pay 12 euros for breakfast.", "A room costs 12 euros."),
    ("Orlan bought Tevik in 2011.", "Tevik was bought by Orlan.", "Tevik bought Orlan in 2011."),
    (
        "The north gate is locked; the south gate stays open.",
        "One can use the south gate.",
        "The north gate stays open.",
    ),
    ("Ruth wrote the text, and Emil drew the pictures.", "The pictures are by Emil.", "Emil wrote the text."),
    (
        "The warranty lasts three years for the motor and one year for the battery.",
        "The battery has a one-year warranty.",
        "The warranty lasts three years for the battery.",
    ),
    (
        "Dogs are welcome in the garden but not in the dining room.",
        "You may bring your dog into the garden.",
        "Dogs are welcome in the dining room.",
    ),
    (
        "The bridge was planned in 1934, begun in 1937 and opened in 1941.",
        "Work on the bridge started in 1937.",
        "The bridge was opened in 1937.",
    ),
    (
        "Sales in Norway fell by 4 %, while sales in Poland rose by 9 %.",
        "Norwegian sales went down by 4 %.",
        "Sales in Norway rose by 9 %.",
    ),
    (
        "Version 6 reads YAML and TOML; version 5 read YAML only.",
        "TOML can be read by version 6.",
        "Version 5 read YAML and TOML.",
    ),
    (
        "The mayor criticised the council after the council had closed the pool.",
        "It was the council that closed the pool.",
        "The council criticised the mayor.",
    ),
    (
        "Adults take two tablets a day; children under twelve take one.",
        "A child of eight takes one tablet a day.",
        "Children under twelve take two tablets a day.",
    ),
    (
        "Karla teaches chemistry in Turku. Her brother Jan teaches music in Oulu.",
        "Jan works as a music teacher in Oulu.",
        "Karla teaches music in Oulu.",
    ),
    (
        "The landlord pays for repairs, the tenant for electricity.",
        "Electricity is paid by the tenant.",
        "The tenant pays for repairs.",
    ),
    (
        "If the light blinks red the filter is full; if it blinks green the tank is empty.",
        "A blinking green light means that the tank is empty.",
        "If the light blinks red the tank is empty.",
    ),
    (
        "The study found that tea lowered blood pressure, but coffee had no effect.",
        "No effect was found for coffee.",
        "The study found that coffee lowered blood pressure.",
    ),
    (
        "Everyone but the cashiers starts work at six.",
        "The cashiers do not start at six.",
        "The cashiers start work at six.",
    ),
    (
        "The hall seats 300 people, the foyer 90.",
        "There are 90 seats in the foyer.",
        "The foyer seats 300 people.",
    ),
    (
        "Lind plans to sell the mill, and has sold the farm.",
        "The farm has been sold by Lind.",
        "Lind has sold the mill.",
    ),
    (
        "The older sister, Mira, is a pilot; the younger, Nela, is a nurse.",
        "Nela works as a nurse.",
        "The younger sister is a pilot.",
    ),
    (
        "Exports go by rail to Gdynia and from there by ship to Malmo.",
        "The goods are shipped from Gdynia to Malmo.",
        "Exports go by rail to Malmo.",
    ),
    (
        "The default timeout is 30 seconds, and the longest one allowed is 300.",
        "A timeout of more than 300 seconds is not allowed.",
        "The default timeout is 300 seconds.",
    ),
    (
        "The committee rejected the first proposal and adopted the second.",
        "The second proposal was accepted.",
        "The committee adopted the first proposal.",
    ),
    (
        "Gloves are required in the workshop, helmets on the building site.",
        "You have to wear a helmet on the building site.",
        "Helmets are required in the workshop.",
    ),
]
